//! Texts with tabs as aligned columns.
//!
//! Rule: Go's `text/tabwriter`, as `docs/semantics/kubectl_samples.md` tells it: a column is a run of lines that have a
//! tab-terminated cell in that place, and is as wide as its widest cell; what follows the last tab widens nothing.
//! Source: `src/text/tabwriter/tabwriter.go`; `RememberWidths` of `github.com/liggitt/tabwriter`.

/// A writer's measures.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TabWriter {
    min_width: usize,
    padding: usize,
    /// Widths of earlier texts that later ones must not fall below; none if they are not kept.
    remembered: Option<Vec<usize>>,
}

impl TabWriter {
    /// `kubectl describe`.
    pub fn describe() -> TabWriter {
        TabWriter { min_width: 0, padding: 2, remembered: None }
    }

    /// `kubectl get`.
    pub fn table() -> TabWriter {
        TabWriter { min_width: 6, padding: 3, remembered: None }
    }

    /// `kubectl get -w`: columns never get narrower.
    pub fn remembering() -> TabWriter {
        TabWriter { remembered: Some(Vec::new()), ..TabWriter::table() }
    }

    /// Aligns a whole text.
    pub fn align(&mut self, text: &str) -> String {
        let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
        let mut out = String::with_capacity(text.len() * 2);
        self.block(&lines, &mut Vec::new(), &mut out);
        out
    }

    /// Writes lines that all belong to the columns of `widths`; runs of lines with one more column are blocks of their own.
    fn block(&mut self, lines: &[Vec<&str>], widths: &mut Vec<usize>, out: &mut String) {
        let column = widths.len();
        let has_column = |line: &Vec<&str>| line.len() > column + 1;
        let mut rest = lines;
        while let Some(first) = rest.first() {
            let end = rest.iter().position(|line| has_column(line) != has_column(first)).unwrap_or(rest.len());
            let (run, later) = rest.split_at(end);
            rest = later;
            if !has_column(first) {
                run.iter().for_each(|line| write_line(line, widths, out));
                continue;
            }
            let widest = run.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
            widths.push(self.remember(column, (widest + self.padding).max(self.min_width)));
            self.block(run, widths, out);
            widths.pop();
        }
    }

    fn remember(&mut self, column: usize, width: usize) -> usize {
        let Some(kept) = &mut self.remembered else { return width };
        if kept.len() <= column {
            kept.resize(column + 1, 0);
        }
        kept[column] = kept[column].max(width);
        kept[column]
    }
}

fn write_line(line: &[&str], widths: &[usize], out: &mut String) {
    for (i, cell) in line.iter().enumerate() {
        out.push_str(cell);
        if let Some(width) = widths.get(i).filter(|_| i + 1 < line.len()) {
            let blanks = width.saturating_sub(cell.chars().count());
            out.extend(std::iter::repeat_n(' ', blanks));
        }
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_without_tabs_ends_the_columns() {
        let text = "Name:\tpi\nNamespace:\tdefault\nPod Template:\n  Labels:\ta=b\n  \tc=d\nEvents:\t<none>\n";
        assert_eq!(
            TabWriter::describe().align(text),
            "Name:       pi\nNamespace:  default\nPod Template:\n  Labels:  a=b\n           c=d\nEvents:    <none>\n"
        );
    }

    #[test]
    fn empty_last_cells_leave_the_blanks_of_those_before() {
        assert_eq!(TabWriter::table().align("A\tB\nxxxxxxx\t\n"), "A         B\nxxxxxxx   \n");
    }

    #[test]
    fn remembered_widths_only_grow() {
        let mut writer = TabWriter::remembering();
        assert_eq!(writer.align("NAME\tX\nlong-name\t1\n"), "NAME        X\nlong-name   1\n");
        assert_eq!(writer.align("a\t2\n"), "a           2\n");
        assert_eq!(writer.align("a-longer-name\t3\n"), "a-longer-name   3\n");
        assert_eq!(writer.align("a\t4\n"), "a               4\n");
    }
}
