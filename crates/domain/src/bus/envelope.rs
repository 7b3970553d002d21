//! A message as it travels between nodes.

/// What one node sends to the others, with who sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// The node it comes from: it has heard it already.
    pub sender: u64,
    /// Its number with the sender, so that no two are equal; PostgreSQL drops equal notices of one transaction.
    pub number: u64,
    /// Where to; everywhere when it is empty, which is for losses only.
    pub topic: &'a str,
    /// What; `None` is the news that something was lost.
    pub payload: Option<&'a [u8]>,
}

const MESSAGE: u8 = b'm';
const LOSS: u8 = b'l';

impl<'a> Envelope<'a> {
    /// As bytes: form, sender, number, length of the topic, topic, payload; numbers with their highest byte first.
    pub fn encode(&self) -> Vec<u8> {
        let payload = self.payload.unwrap_or_default();
        let mut bytes = Vec::with_capacity(19 + self.topic.len() + payload.len());
        bytes.push(if self.payload.is_some() { MESSAGE } else { LOSS });
        bytes.extend(self.sender.to_be_bytes());
        bytes.extend(self.number.to_be_bytes());
        // A topic is never longer than TOPIC_MAX.
        bytes.extend(u16::try_from(self.topic.len()).unwrap_or_default().to_be_bytes());
        bytes.extend(self.topic.as_bytes());
        bytes.extend(payload);
        bytes
    }

    /// Reads it back; `None` when it was not written by [`Envelope::encode`].
    pub fn decode(bytes: &'a [u8]) -> Option<Self> {
        let (form, rest) = bytes.split_first()?;
        let (sender, rest) = rest.split_first_chunk()?;
        let (number, rest) = rest.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let (topic, payload) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        let payload = match *form {
            MESSAGE => Some(payload),
            LOSS if payload.is_empty() => None,
            _ => return None,
        };
        let topic = std::str::from_utf8(topic).ok()?;
        Some(Self { sender: u64::from_be_bytes(*sender), number: u64::from_be_bytes(*number), topic, payload })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_encoded_reads_back(sender: u64, number: u64, topic in ".{0,50}", payload: Option<Vec<u8>>) {
            let sent = Envelope { sender, number, topic: &topic, payload: payload.as_deref() };
            let bytes = sent.encode();
            prop_assert_eq!(Envelope::decode(&bytes), Some(sent));
        }

        #[test]
        fn nonsense_is_refused_and_breaks_nothing(bytes: Vec<u8>) {
            if let Some(read) = Envelope::decode(&bytes) {
                prop_assert_eq!(read.encode(), bytes);
            }
        }
    }
}
