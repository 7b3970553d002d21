//! The vectors of a catalogue in memory, looked through from the first to the last, which misses nothing.

use std::{
    cmp::Ordering,
    collections::HashMap,
    future::poll_fn,
    sync::{Arc, PoisonError, RwLock},
    task::Poll,
};

use super::{
    Vector,
    ports::{Changed, Progress},
    vector::cosine,
};
use crate::id::ProductId;

/// So many numbers are looked at before others on the thread have their turn: about a millisecond.
const STRETCH: usize = 4 * 1024 * 1024;

/// A product near to what was asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Near {
    /// The product.
    pub product: ProductId,
    /// How near, at most 1: the cosine of the angle between them.
    pub score: f32,
}

/// The vectors of all products, as this node knows them. Who looks through them holds what they are at that moment; a change that comes
/// meanwhile is made in a copy.
#[derive(Debug, Default)]
pub struct Index(RwLock<Arc<Shelf>>);

#[derive(Debug, Clone, Default)]
struct Shelf {
    /// When the vectors of the present model began.
    began: u64,
    /// Up to where changes are known.
    place: Place,
    /// How long each vector is; of the first one that came.
    length: usize,
    slots: HashMap<ProductId, usize>,
    products: Vec<ProductId>,
    scales: Vec<f32>,
    /// All vectors, one behind the other.
    bytes: Vec<i8>,
}

/// How far changes were read: up to this head, and this product of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub head: u64,
    pub product: Option<ProductId>,
}

impl Index {
    /// An empty index.
    pub fn new() -> Self {
        Self::default()
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Arc<Shelf>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Arc<Shelf>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many products it knows.
    pub fn len(&self) -> usize {
        self.read().products.len()
    }

    /// Whether it knows none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How much memory the vectors take, in bytes.
    pub fn bytes(&self) -> usize {
        let held = self.read();
        held.bytes.capacity() + 4 * held.scales.capacity() + 16 * held.products.capacity()
    }

    /// A number that is another whenever it may give other answers.
    pub fn head(&self) -> u64 {
        self.read().place.head
    }

    pub(super) fn place(&self) -> Place {
        self.read().place
    }

    /// Forgets everything when the vectors of another model began.
    pub(super) fn begin(&self, progress: &Progress) {
        let mut held = self.write();
        if held.began != progress.began {
            let place = Place { head: progress.began, product: None };
            *held = Arc::new(Shelf { began: progress.began, place, ..Shelf::default() });
        }
    }

    /// Takes what changed, in order.
    pub(super) fn apply(&self, changes: Vec<Changed>) {
        if changes.is_empty() {
            return;
        }
        let mut held = self.write();
        let held = Arc::make_mut(&mut held);
        for change in changes {
            held.place = Place { head: change.head, product: Some(change.product) };
            match change.vector.and_then(Vector::from_bytes) {
                Some(vector) => held.put(change.product, &vector),
                None => held.remove(change.product),
            }
        }
    }

    /// The vector of a product.
    pub fn vector(&self, product: ProductId) -> Option<Vector> {
        let held = self.read();
        let slot = *held.slots.get(&product)?;
        Vector::from_bytes(held.row(slot)?.to_vec())
    }

    /// How near these products are, as far as it knows them.
    pub fn scores(&self, asked: &Vector, products: &[ProductId]) -> HashMap<ProductId, f32> {
        let held = self.read();
        let near = |product: &ProductId| Some((*product, held.score(asked, *held.slots.get(product)?)?));
        products.iter().filter_map(near).collect()
    }

    /// The `most` nearest products, the nearest first; of products as near the one with the smaller id. Gives way to others now and then.
    pub async fn nearest(&self, asked: &Vector, most: usize) -> Vec<Near> {
        let held = Arc::clone(&self.read());
        if asked.bytes().len() != held.length || most == 0 {
            return Vec::new();
        }
        let length = held.length.max(1);
        let stretch = (STRETCH / length).max(1);
        let products = held.products.chunks(stretch);
        let rows = held.bytes.chunks(stretch * length).zip(held.scales.chunks(stretch)).zip(products);
        let mut best = Best { most, least: f32::NEG_INFINITY, kept: Vec::new() };
        for (place, ((bytes, scales), products)) in rows.enumerate() {
            if place > 0 {
                give_way().await;
            }
            for ((row, scale), product) in bytes.chunks_exact(length).zip(scales).zip(products) {
                best.look(Near { product: *product, score: cosine(asked, row, *scale) });
            }
        }
        best.sorted()
    }
}

/// The nearest ones so far: never more than twice as many as are wanted.
struct Best {
    most: usize,
    /// What is less near than this is none of them.
    least: f32,
    kept: Vec<Near>,
}

impl Best {
    fn look(&mut self, near: Near) {
        if near.score < self.least {
            return;
        }
        self.kept.push(near);
        if self.kept.len() >= self.most.saturating_mul(2) {
            self.shrink();
            self.least = self.kept.iter().map(|one| one.score).fold(f32::INFINITY, f32::min);
        }
    }

    fn shrink(&mut self) {
        if self.kept.len() > self.most {
            self.kept.select_nth_unstable_by(self.most, nearer);
            self.kept.truncate(self.most);
        }
    }

    fn sorted(mut self) -> Vec<Near> {
        self.shrink();
        self.kept.sort_unstable_by(nearer);
        self.kept
    }
}

fn nearer(a: &Near, b: &Near) -> Ordering {
    b.score.total_cmp(&a.score).then(a.product.cmp(&b.product))
}

/// Lets others on this thread have their turn.
async fn give_way() {
    let mut gave = false;
    poll_fn(|context| {
        if std::mem::replace(&mut gave, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Makes room for `more`, and for an eighth of what there is: lists that double would hold up to twice as much for as long as the program
/// runs, and one that is made smaller in the end would double with the next product.
fn make_room<T>(list: &mut Vec<T>, more: usize) {
    if list.capacity() - list.len() < more {
        list.reserve_exact(more.max(list.len() / 8));
    }
}

impl Shelf {
    fn row(&self, slot: usize) -> Option<&[i8]> {
        self.bytes.get(slot * self.length..(slot + 1) * self.length)
    }

    fn score(&self, asked: &Vector, slot: usize) -> Option<f32> {
        if asked.bytes().len() != self.length {
            return None;
        }
        Some(cosine(asked, self.row(slot)?, *self.scales.get(slot)?))
    }

    fn put(&mut self, product: ProductId, vector: &Vector) {
        if self.products.is_empty() {
            self.length = vector.bytes().len();
        }
        if vector.bytes().len() != self.length {
            // Of no use beside the others; a model gives vectors of one length.
            return self.remove(product);
        }
        let Some(slot) = self.slots.get(&product).copied() else {
            make_room(&mut self.products, 1);
            make_room(&mut self.scales, 1);
            make_room(&mut self.bytes, vector.bytes().len());
            self.slots.insert(product, self.products.len());
            self.products.push(product);
            self.scales.push(vector.scale());
            self.bytes.extend_from_slice(vector.bytes());
            return;
        };
        if let (Some(row), Some(scale)) =
            (self.bytes.get_mut(slot * self.length..(slot + 1) * self.length), self.scales.get_mut(slot))
        {
            row.copy_from_slice(vector.bytes());
            *scale = vector.scale();
        }
    }

    /// The last one takes the place of who goes.
    fn remove(&mut self, product: ProductId) {
        let Some(slot) = self.slots.remove(&product) else { return };
        let last = self.products.len().saturating_sub(1);
        self.products.swap_remove(slot);
        self.scales.swap_remove(slot);
        self.bytes.copy_within(last * self.length..(last + 1) * self.length, slot * self.length);
        self.bytes.truncate(last * self.length);
        if let Some(moved) = self.products.get(slot) {
            self.slots.insert(*moved, slot);
        }
    }
}
