//! `kubectl get`'s tables: which columns, in what order, and the cells as text.
//!
//! Source: `cli-runtime/pkg/printers/tableprinter.go`, `kubectl/pkg/cmd/get/table_printer.go`.

use std::rc::Rc;

use api::columns::{Column, columns, row};
use api::kind::Kind;
use api::object::Object;
use values::time::SimTime;

/// What of the table is to be seen.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TableOptions {
    pub wide: bool,
    /// Only NAME and AGE, as kubectl prints what the server has not put into a table.
    pub plain: bool,
    pub no_headers: bool,
    /// NAMESPACE in front.
    pub with_namespace: bool,
    /// `job.batch/x` instead of `x`.
    pub with_kind: bool,
    pub show_labels: bool,
    /// `-L`
    pub label_columns: Vec<String>,
    /// EVENT in front.
    pub with_event: bool,
}

impl TableOptions {
    /// The head's line, cells apart by tabs.
    pub fn header(&self, kind: Kind) -> String {
        let mut cells: Vec<String> = Vec::new();
        if self.with_event {
            cells.push("EVENT".to_owned());
        }
        if self.with_namespace {
            cells.push("NAMESPACE".to_owned());
        }
        cells.extend(columns(kind).iter().filter(|c| self.shows(c)).map(|c| c.name.to_uppercase()));
        cells.extend(self.label_columns.iter().map(|key| key.rsplit('/').next().unwrap_or(key).to_uppercase()));
        if self.show_labels {
            cells.push("LABELS".to_owned());
        }
        cells.join("\t") + "\n"
    }

    /// An object's line, cells apart by tabs. `event` is `ADDED` and its like.
    pub fn line(&self, object: &Object, now: SimTime, event: &str) -> String {
        let kind = object.kind();
        let mut cells: Vec<String> = Vec::new();
        if self.with_event {
            cells.push(event.to_owned());
        }
        if self.with_namespace {
            cells.push(object.namespace().to_owned());
        }
        for (i, (column, cell)) in columns(kind).iter().zip(row(object, now)).enumerate() {
            if self.shows(column) {
                let cell = one_line(&cell);
                let named = i == 0 && self.with_kind && column.name == "Name";
                cells.push(if named { format!("{}/{cell}", kind.info().singular_resource()) } else { cell });
            }
        }
        let labels = &object.meta().labels;
        let label = |key: &String| labels.get(key.as_str()).map(|value| value.to_string()).unwrap_or_default();
        cells.extend(self.label_columns.iter().map(label));
        if self.show_labels {
            let pairs: Vec<String> = labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
            cells.push(if pairs.is_empty() { "<none>".to_owned() } else { pairs.join(",") });
        }
        cells.join("\t") + "\n"
    }

    /// A whole table with its head; nothing if there are no objects.
    pub fn table(&self, kind: Kind, objects: &[Rc<Object>], now: SimTime) -> String {
        if objects.is_empty() {
            return String::new();
        }
        let head = if self.no_headers { String::new() } else { self.header(kind) };
        objects.iter().fold(head, |text, object| text + &self.line(object, now, "ADDED"))
    }

    fn shows(&self, column: &Column) -> bool {
        if self.plain {
            return column.name == "Name" || column.name == "Age";
        }
        self.wide || !column.wide
    }
}

/// A cell is cut where its first line ends; a tab would end it too soon.
fn one_line(cell: &str) -> String {
    let cut = cell.find(['\n', '\r', '\u{c}']);
    let text = cut.map_or_else(|| cell.to_owned(), |end| format!("{}...", &cell[..end]));
    text.replace('\t', " ")
}
