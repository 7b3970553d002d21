//! The tree of the messages of a conversation.

use std::collections::BTreeMap;

use super::{Message, Speaker};
use crate::id::ConversationMessageId;

/// A message by its place in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The message.
    pub id: ConversationMessageId,
    /// The message it follows.
    pub parent: Option<ConversationMessageId>,
    /// What the client calls it.
    pub client_id: Option<String>,
    /// Who said it.
    pub speaker: Speaker,
}

/// All messages of a conversation by their places. Ids grow with time, so of those at one place the largest is the latest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree(BTreeMap<ConversationMessageId, Node>);

impl FromIterator<Node> for Tree {
    fn from_iter<I: IntoIterator<Item = Node>>(nodes: I) -> Self {
        Self(nodes.into_iter().map(|node| (node.id, node)).collect())
    }
}

impl Tree {
    /// How many messages there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, the oldest first.
    pub fn ids(&self) -> impl Iterator<Item = ConversationMessageId> + '_ {
        self.0.keys().copied()
    }

    /// The message of that id.
    pub fn get(&self, id: ConversationMessageId) -> Option<&Node> {
        self.0.get(&id)
    }

    /// The message that is called so, by its id or by the client: the latest, if it called several so.
    pub fn named(&self, name: &str) -> Option<&Node> {
        let by_id = name.parse().ok().and_then(|id| self.0.get(&id));
        by_id.or_else(|| self.0.values().rev().find(|node| node.client_id.as_deref() == Some(name)))
    }

    /// What leads from the beginning to a message, which is the last.
    pub fn path(&self, to: Option<ConversationMessageId>) -> Vec<ConversationMessageId> {
        let mut path = Vec::new();
        let mut next = to.and_then(|id| self.0.get(&id));
        // A circle cannot be stored; this would end all the same.
        while let Some(node) = next.filter(|_| path.len() <= self.0.len()) {
            path.push(node.id);
            next = node.parent.and_then(|id| self.0.get(&id));
        }
        path.reverse();
        path
    }

    /// Those that stand at the same place, oldest first, itself among them.
    pub fn siblings(&self, id: ConversationMessageId) -> Vec<ConversationMessageId> {
        let Some(node) = self.0.get(&id) else { return Vec::new() };
        self.0.values().filter(|other| other.parent == node.parent).map(|other| other.id).collect()
    }

    /// The latest leaf at or below a message: below each one the latest is followed.
    pub fn leaf(&self, below: ConversationMessageId) -> Option<ConversationMessageId> {
        let mut leaf = self.0.get(&below)?.id;
        for _ in 0..self.0.len() {
            match self.0.values().rev().find(|node| node.parent == Some(leaf)) {
                Some(node) => leaf = node.id,
                None => break,
            }
        }
        Some(leaf)
    }
}

/// These messages in the order of a path.
pub(super) fn in_order(path: &[ConversationMessageId], messages: Vec<Message>) -> Vec<Message> {
    let mut by_id: BTreeMap<_, _> = messages.into_iter().map(|message| (message.id, message)).collect();
    path.iter().filter_map(|id| by_id.remove(id)).collect()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn id(n: u128) -> ConversationMessageId {
        ConversationMessageId(Uuid::from_u128(n))
    }

    /// 1 - 2 - 3 - 4, another answer 5 to 1, and another question 6 with its answer 7 after 2.
    fn tree() -> Tree {
        let nodes = [(1, 0), (2, 1), (3, 2), (4, 3), (5, 1), (6, 2), (7, 6)];
        let node = |(n, parent): (u128, u128)| Node {
            id: id(n),
            parent: (parent > 0).then(|| id(parent)),
            client_id: (n % 2 == 1).then(|| "odd".to_owned()),
            speaker: if n % 2 == 1 { Speaker::User } else { Speaker::Assistant },
        };
        nodes.into_iter().map(node).collect()
    }

    #[test]
    fn branches_lead_to_the_beginning() {
        let tree = tree();
        let path = |to: Option<u128>| tree.path(to.map(id)).iter().map(|id| id.0.as_u128()).collect::<Vec<_>>();
        assert_eq!(path(Some(4)), [1, 2, 3, 4]);
        assert_eq!(path(Some(7)), [1, 2, 6, 7]);
        assert!(path(None).is_empty() && path(Some(99)).is_empty());
        assert_eq!(tree.siblings(id(3)), [id(3), id(6)]);
        assert_eq!(tree.siblings(id(1)), [id(1)]);
    }

    #[test]
    fn the_latest_leaf_of_a_branch_is_shown() {
        let tree = tree();
        let leaf = |below| tree.leaf(id(below)).map(|id| id.0.as_u128());
        assert_eq!((leaf(1), leaf(2), leaf(3), leaf(5), leaf(6)), (Some(5), Some(7), Some(4), Some(5), Some(7)));
        assert_eq!(leaf(99), None);
    }

    #[test]
    fn messages_have_the_names_of_the_client_too() {
        let tree = tree();
        assert_eq!(tree.named("odd").map(|node| node.id), Some(id(7)), "the latest of them");
        assert_eq!(tree.named(&id(2).to_string()).map(|node| node.id), Some(id(2)));
        assert_eq!(tree.named("even"), None);
    }
}
