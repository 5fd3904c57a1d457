//! The callbacks that a session hands to its regions.
//!
//! Rule: they are made once. A region compares what it is given, and a fresh callback is equal to no other: each drawing of the
//! session would draw every region.

use yew::prelude::*;

use super::breaks;
use super::clockbar;
use super::editor;
use super::header;
use super::logs;
use super::page;
use super::report;
use super::session::{Msg, Session};
use super::settings::Choice;
use super::shortcuts::Key;
use super::stage;
use super::terminal;
use super::ui::Tab;
use super::window::Gesture;

/// One for each region, and a few for what a region passes on.
pub struct Calls {
    pub header: Callback<header::Msg>,
    pub clock: Callback<clockbar::Msg>,
    pub editor: Callback<editor::Msg>,
    pub stage: Callback<stage::Msg>,
    pub timeline: Callback<Gesture>,
    pub tab: Callback<Tab>,
    pub terminal: Callback<terminal::Msg>,
    pub logs: Callback<logs::Msg>,
    pub select: Callback<AttrValue>,
    pub menu: Callback<breaks::Msg>,
    pub fault: Callback<report::Msg>,
    pub choose: Callback<Choice>,
    pub shade: Callback<MouseEvent>,
}

impl Calls {
    pub fn new(ctx: &Context<Session>) -> Calls {
        let link = ctx.link();
        Calls {
            header: link.callback(Msg::Header),
            clock: link.callback(Msg::Clock),
            editor: link.callback(Msg::Editor),
            stage: link.callback(Msg::Stage),
            timeline: link.callback(Msg::Timeline),
            tab: link.callback(Msg::Tab),
            terminal: link.callback(Msg::Terminal),
            logs: link.callback(Msg::Logs),
            select: link.callback(|uid| Msg::Stage(stage::Msg::Select(uid))),
            menu: link.callback(Msg::Menu),
            fault: link.callback(Msg::Fault),
            choose: ctx.props().page.reform(page::Msg::Choose),
            shade: link.callback(|_: MouseEvent| Msg::Key(Key::Escape)),
        }
    }
}
