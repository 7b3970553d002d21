//! What a sender signs, as a text with places: `{timestamp}.{body}`.

use super::BadSource;

/// A piece of what is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    Timestamp,
    Id,
    Body,
}

/// What is signed, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

impl Template {
    /// Reads a template; the body must be in it once.
    pub fn parse(text: &str) -> Result<Self, BadSource> {
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once('{') {
            let (name, left) = after.split_once('}').ok_or(BadSource::Template)?;
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            pieces.push(match name {
                "timestamp" => Piece::Timestamp,
                "id" => Piece::Id,
                "body" => Piece::Body,
                _ => return Err(BadSource::Template),
            });
            rest = left;
        }
        if rest.contains('}') {
            return Err(BadSource::Template);
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        let bodies = pieces.iter().filter(|piece| **piece == Piece::Body).count();
        if bodies == 1 { Ok(Self(pieces)) } else { Err(BadSource::Template) }
    }

    pub(super) fn has(&self, piece: &Piece) -> bool {
        self.0.contains(piece)
    }

    /// The pieces filled in; nothing stands for the body.
    pub(super) fn fill(&self, timestamp: &str, id: &str) -> Vec<Option<Vec<u8>>> {
        let filled = self.0.iter().map(|piece| match piece {
            Piece::Text(text) => Some(text.clone().into_bytes()),
            Piece::Timestamp => Some(timestamp.as_bytes().to_vec()),
            Piece::Id => Some(id.as_bytes().to_vec()),
            Piece::Body => None,
        });
        filled.collect()
    }
}
