//! Tables for spreadsheets.

/// A row of cells, as RFC 4180 has it. A text that a spreadsheet would take for a formula is shown as a text.
pub(super) fn row<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    let cells: Vec<String> = cells.into_iter().map(cell).collect();
    cells.join(",") + "\r\n"
}

fn cell(text: &str) -> String {
    let text = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_keep_what_they_hold_and_are_no_formulas() {
        let cells = ["a", "", "b,c", "say \"hi\"", "two\nlines", "=cmd()", "-1+1", "@sum"];
        let expected = "a,,\"b,c\",\"say \"\"hi\"\"\",\"two\nlines\",'=cmd(),'-1+1,'@sum\r\n";
        assert_eq!(row(cells), expected);
    }
}
