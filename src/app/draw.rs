//! How the page is put together: which region holds what, and what each panel is given.

use std::rc::Rc;

use yew::prelude::*;

use super::app::{App, Msg, when};
use super::bands::Bands;
use super::breaks::Breaks;
use super::browser;
use super::clockbar::ClockBar;
use super::editor::{self, Editor};
use super::events::Events;
use super::examples;
use super::files::File;
use super::header::Header;
use super::help::Help;
use super::kept::Undo;
use super::logs::Logs;
use super::objects::Objects;
use super::report::Fault;
use super::run::{Broken, Part};
use super::sash::Sash;
use super::sign;
use super::stage::Stage;
use super::terminal::Terminal;
use super::timeline::Timeline;
use super::ui::{Layout, Region, Tab};

/// How it is drawn.
impl App {
    /// The whole page.
    pub fn draw(&self) -> Html {
        let editor_open = self.editor_open();
        let class = classes!(
            "shell",
            self.run.clock.playing.then_some("playing"),
            (!editor_open).then_some("no-editor"),
            (self.layout == Layout::Drawer && self.drawer).then_some("drawer"),
            (self.layout == Layout::Stack && self.tab == Tab::Editor).then_some("tab-editor"),
            self.folded(Region::Timeline).then_some("no-timeline"),
            self.folded(Region::Dock).then_some("no-dock"),
        );
        html! {
            <div {class}>
                <a class="skip-link" href="#stage">{ "To the stage" }</a>
                { sign::definitions() }
                { self.header() }
                <section id="editor" class="editor" aria-label="Manifest">{ self.editor() }</section>
                { self.sash(Region::Editor) }
                <main id="stage" class="stage" tabindex="-1">{ self.stage() }</main>
                { self.clock_bar() }
                { self.sash(Region::Timeline) }
                <Timeline follows={self.lanes.follows} pods={self.run.view.lanes.len()} act={self.act.clone()} />
                { self.sash(Region::Dock) }
                <section class="dock" aria-label="Details">{ self.dock() }</section>
                <div class="unseen" role="status" aria-live="polite">{ &self.said }</div>
                { self.breaks() }
                <Help open={self.help} keys={self.kept.keys} act={self.act.clone()} />
            </div>
        }
    }

    fn header(&self) -> Html {
        html! {
            <Header example={examples::index_of(&self.kept.example)} edited={self.kept.files.iter().any(File::edited)} stored={self.stored}
                theme={self.kept.theme} layout={self.layout} editor_open={self.editor_open()} act={self.act.clone()} />
        }
    }

    fn editor(&self) -> Html {
        let file = &self.kept.files[self.kept.active];
        let tab =
            |file: &File| editor::Tab { name: file.name.clone(), edited: file.edited(), edit: file.edit.is_some() };
        let tabs: Vec<editor::Tab> = self.kept.files.iter().map(tab).collect();
        let undo = self.kept.undo.as_ref().map(Undo::label).unwrap_or_default();
        html! {
            <Editor tabs={Rc::new(tabs)} active={self.kept.active} version={self.version} text={file.text.clone()} remarks={self.remarks.clone()}
                answer={self.answer.clone()} undo={undo} python={self.python.is_some()} dark={self.kept.theme.is_dark()} act={self.act.clone()} />
        }
    }

    fn stage(&self) -> Html {
        let view = &self.run.view;
        if let Some(fault) = &self.fault {
            return html! { <Fault fault={fault.clone()} report={self.report()} act={self.act.clone()} /> };
        }
        html! {
            <>
                { self.broken() }
                <Bands jobs={Part(view.jobs.clone())} cron_jobs={Part(view.cron_jobs.clone())} services={Part(view.services.clone())} />
                <div class="floor" ref={self.stage.clone()} role="group" aria-label="Cluster">
                    <Stage pods={Part(view.pods.clone())} nodes={Part(view.nodes.clone())} jobs={Part(view.jobs.clone())}
                        selected={self.selected.clone()} reachable={self.reachable.clone()} act={self.act.clone()} />
                </div>
            </>
        }
    }

    fn breaks(&self) -> Html {
        let view = &self.run.view;
        html! {
            <Breaks target={self.breaks.clone()} pods={Part(view.pods.clone())} nodes={Part(view.nodes.clone())} images={self.images.clone()} act={self.act.clone()} />
        }
    }

    /// What is broken now, with what is left of it.
    fn broken(&self) -> Html {
        let row = |broken: &Broken| {
            let left = broken.until_ms.map(|until| {
                html! {
                    <span><b data-live="left" data-from={broken.from_ms.to_string()} data-until={until.to_string()}></b>{ " left" }</span>
                }
            });
            html! { <li key={format!("{} {}", broken.from_ms, broken.says)}>{ &broken.says }{ left }</li> }
        };
        let rows: Vec<Html> = self.run.broken().map(row).collect();
        if rows.is_empty() {
            return Html::default();
        }
        html! { <ul class="broken" aria-label="Broken now">{ for rows }</ul> }
    }

    fn clock_bar(&self) -> Html {
        let clock = &self.run.clock;
        let wall_clock = self.run.engine().map(|engine| engine.wall_clock(self.slow_now_ms)).unwrap_or_default();
        html! {
            <ClockBar playing={clock.playing} speed={clock.speed} skip={clock.skip}
                seed={self.kept.seed} day={wall_clock.get(..10).unwrap_or_default().to_owned()} act={self.act.clone()} />
        }
    }

    fn sash(&self, region: Region) -> Html {
        html! { <Sash {region} size={self.kept.sizes[region as usize]} folded={self.folded(region)} act={self.act.clone()} /> }
    }

    fn dock(&self) -> Html {
        let stack = self.layout == Layout::Stack;
        let offered: Vec<Tab> = Tab::ALL.into_iter().filter(|tab| stack || *tab != Tab::Editor).collect();
        let at = offered.iter().position(|tab| *tab == self.tab).unwrap_or(0);
        let key = {
            let offered = offered.clone();
            when(&self.act, move |event: KeyboardEvent| {
                let to = match event.key().as_str() {
                    "ArrowRight" => (at + 1) % offered.len(),
                    "ArrowLeft" => (at + offered.len() - 1) % offered.len(),
                    _ => return None,
                };
                browser::focus(&format!("#tab-{}", offered[to].title()));
                Some(Msg::Tab(offered[to]))
            })
        };
        let tab = |tab: &Tab| {
            let (tab, on) = (*tab, *tab == self.tab);
            html! {
                <button key={tab.title()} type="button" role="tab" id={format!("tab-{}", tab.title())} aria-selected={on.to_string()}
                    aria-controls={if tab == Tab::Editor { "editor" } else { "panel" }} tabindex={if on { "0" } else { "-1" }}
                    class={classes!(on.then_some("on"))} onclick={self.act.reform(move |_: MouseEvent| Msg::Tab(tab))}>{ tab.title() }</button>
            }
        };
        html! {
            <>
                <div class="dock-tabs" role="tablist" aria-label="Details" onkeydown={key}>{ for offered.iter().map(tab) }</div>
                <div id="panel" class="panel scrolls" role="tabpanel" tabindex="0" aria-labelledby={format!("tab-{}", self.tab.title())}>{ self.panel() }</div>
            </>
        }
    }

    fn panel(&self) -> Html {
        let view = &self.run.view;
        match self.tab {
            Tab::Editor => Html::default(),
            Tab::Terminal => html! {
                <Terminal screen={self.screen.clone()} typed={self.typed.clone()} moves={self.run.moves()} terminals={self.terminals.clone()}
                    shown={self.terminal} offers={self.offers.clone()} act={self.act.clone()} />
            },
            Tab::Events => html! { <Events events={Part(view.events.clone())} now_ms={self.slow_now_ms} /> },
            Tab::Logs => html! {
                <Logs pods={Part(view.pods.clone())} selected={self.selected.clone()} choice={self.log.clone()} lines={self.lines.clone()}
                    now_ms={self.slow_now_ms} act={self.act.clone()} />
            },
            Tab::Objects => html! {
                <Objects pods={Part(view.pods.clone())} jobs={Part(view.jobs.clone())} cron_jobs={Part(view.cron_jobs.clone())}
                    nodes={Part(view.nodes.clone())} services={Part(view.services.clone())} selected={self.selected.clone()}
                    now_ms={self.slow_now_ms} act={self.act.clone()} />
            },
        }
    }
}
