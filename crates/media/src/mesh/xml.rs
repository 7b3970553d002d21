//! As much XML as a 3MF part needs: tags with attributes, one at a time, bounded in length. Nothing is expanded, nothing looked up.

use std::io::{BufRead, Read};

use super::Fault;

/// Longest tag that is read.
const LONGEST: usize = 1 << 16;

/// A tag.
#[derive(Debug)]
pub(super) struct Tag<'a> {
    pub(super) name: &'a str,
    /// Whether it ends an element rather than begins one.
    pub(super) closes: bool,
    /// Whether it is an element by itself.
    pub(super) alone: bool,
    rest: &'a str,
}

impl<'a> Tag<'a> {
    /// Names and values as they are written.
    pub(super) fn attributes(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let mut rest = self.rest;
        std::iter::from_fn(move || {
            let (name, after) = rest.split_once('=')?;
            let after = after.trim_start();
            let quote = after.chars().next().filter(|mark| matches!(mark, '"' | '\''))?;
            let (value, after) = after.split_at(1).1.split_once(quote)?;
            rest = after;
            Some((name.trim(), value))
        })
    }

    pub(super) fn get(&self, wanted: &str) -> Option<&'a str> {
        self.attributes().find(|(name, _)| *name == wanted).map(|(_, value)| value)
    }
}

pub(super) struct Tags<R> {
    from: R,
    text: Vec<u8>,
}

impl<R: BufRead> Tags<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from, text: Vec::new() }
    }

    /// The next tag; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Tag<'_>>, Fault> {
        loop {
            if self.from.skip_until(b'<')? == 0 {
                return Ok(None);
            }
            self.text.clear();
            if !self.up_to_end()? {
                return Ok(None);
            }
            match self.text.first() {
                Some(b'?') => {}
                Some(b'!') if self.text.starts_with(b"!--") => {
                    while !self.text.ends_with(b"--") || self.text.len() < 5 {
                        // A remark may be long; what matters is how it ends.
                        let keep = self.text.len().saturating_sub(2).max(3).min(self.text.len());
                        self.text.drain(3..keep);
                        self.text.push(b'>');
                        if !self.up_to_end()? {
                            return Ok(None);
                        }
                    }
                }
                Some(b'!') => return Err(Fault::Package("it has a document type or data that is not tags")),
                _ => break,
            }
        }
        let text = std::str::from_utf8(&self.text).map_err(|_| Fault::Package("its XML is not UTF-8"))?;
        let (text, closes) = text.strip_prefix('/').map_or((text, false), |text| (text, true));
        let (text, alone) = text.strip_suffix('/').map_or((text, false), |text| (text, true));
        let (name, rest) = text.split_once(|mark: char| mark.is_ascii_whitespace()).unwrap_or((text, ""));
        Ok(Some(Tag { name, closes, alone, rest }))
    }

    /// Reads up to the next `>` that stands in no quotes, and past it; `false` when there is none.
    fn up_to_end(&mut self) -> Result<bool, Fault> {
        loop {
            let room = u64::try_from(LONGEST.saturating_sub(self.text.len())).unwrap_or(0);
            if room == 0 {
                return Err(Fault::Package("a tag is too long"));
            }
            self.from.by_ref().take(room).read_until(b'>', &mut self.text)?;
            if self.text.last() != Some(&b'>') {
                if self.text.len() >= LONGEST {
                    continue;
                }
                return Ok(false);
            }
            let markup = matches!(self.text.first(), Some(b'?' | b'!'));
            if markup || !within_quotes(&self.text) {
                self.text.pop();
                return Ok(true);
            }
        }
    }
}

fn within_quotes(text: &[u8]) -> bool {
    let mut open = None;
    for byte in text {
        match open {
            None if matches!(byte, b'"' | b'\'') => open = Some(*byte),
            Some(mark) if mark == *byte => open = None,
            _ => {}
        }
    }
    open.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let mut tags = Tags::new(text.as_bytes());
        let mut out = Vec::new();
        while let Some(tag) = tags.next().unwrap() {
            let attributes: Vec<_> = tag.attributes().map(|(name, value)| format!("{name}:{value}")).collect();
            let form = (tag.closes, tag.alone);
            out.push(format!("{} {form:?} {}", tag.name, attributes.join(",")));
        }
        out
    }

    #[test]
    fn tags_come_one_by_one_and_remarks_do_not() {
        assert_eq!(
            names("<?xml version='1.0'?><!-- a > b --><a x=\"1>2\" y = '3'/>text<b></b><!---->\n<c  z=\"\"></c\n><d"),
            [
                "a (false, true) x:1>2,y:3",
                "b (false, false) ",
                "b (true, false) ",
                "c (false, false) z:",
                "c (true, false) "
            ]
        );
        let long = format!("<!--{}--><a/>", ">".repeat(200_000));
        assert_eq!(names(&long), ["a (false, true) "]);
    }

    #[test]
    fn what_could_grow_is_refused() {
        for text in ["<!DOCTYPE a [<!ENTITY b 'c'>]><a/>".to_owned(), format!("<a b='{}'/>", "x".repeat(100_000))] {
            assert!(matches!(Tags::new(text.as_bytes()).next(), Err(Fault::Package(_))));
        }
    }
}
