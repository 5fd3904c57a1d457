//! How kubectl writes what it has read: tables, aligned texts, and the formats of `-o`.
//!
//! Rules: `docs/semantics/kubectl.md` §1 and §8. Source: `cli-runtime/pkg/printers`,
//! `cli-runtime/pkg/genericclioptions`.

pub mod custom_columns;
pub mod format;
pub mod json;
mod kyaml;
pub mod sort;
pub mod table;
pub mod tabwriter;
pub mod template;
