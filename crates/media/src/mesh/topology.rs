//! How the triangles of a model hang together.

use super::{
    facet::{wedge, wide},
    weld::Weld,
};

/// What is known of how a model hangs together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Topology {
    /// Corners at places of their own.
    pub vertices: u64,
    /// Edges.
    pub edges: u64,
    /// Edges of one triangle only: the rims of holes.
    pub boundary: u64,
    /// Edges of more than two triangles.
    pub non_manifold: u64,
    /// Edges whose two triangles turn opposite ways: one of them is inside out.
    pub inconsistent: u64,
    /// Parts that hang together by edges.
    pub shells: u64,
    /// Closed parts that are inside out: hollows of another part, or mistakes.
    pub inverted_shells: u64,
    /// Triangles two of whose corners are at one place. They have no part in anything else here.
    pub collapsed: u64,
    /// Triangles that another one with the same corners came before.
    pub duplicate: u64,
}

impl Topology {
    /// Whether each edge belongs to exactly two triangles.
    pub fn watertight(&self) -> bool {
        self.edges > 0 && self.boundary == 0 && self.non_manifold == 0
    }

    /// Whether it encloses a volume: watertight, and turned the same way all over.
    pub fn closed(&self) -> bool {
        self.watertight() && self.inconsistent == 0
    }
}

/// Looks at all edges. Memory is some forty bytes for each triangle beside the model.
pub(super) fn topology(mesh: &Weld) -> Topology {
    let mut found = Topology { vertices: mesh.points.len() as u64, ..Topology::default() };
    let mut parts = Parts { above: (0..mesh.faces.len() as u32).collect() };
    let mut open = vec![false; mesh.faces.len()];

    // Each edge lies with the lower of its corners, as the higher one, the triangle, and which way it goes.
    let whole = |face: &[u32; 3]| face[0] != face[1] && face[1] != face[2] && face[2] != face[0];
    let edges = Buckets::gather(mesh.points.len(), |put| {
        for (face, number) in mesh.faces.iter().zip(0_u64..) {
            if !whole(face) {
                continue;
            }
            for (a, b) in [(face[0], face[1]), (face[1], face[2]), (face[2], face[0])] {
                let (low, high, back) = if a < b { (a, b, 0) } else { (b, a, 1) };
                put(low, (u64::from(high) << 32) | (number << 1) | back);
            }
        }
    });
    edges.each(|bucket| {
        for same in bucket.chunk_by(|a, b| a >> 32 == b >> 32) {
            found.edges += 1;
            let first = (same[0] as u32) >> 1;
            match same {
                [_] => {
                    found.boundary += 1;
                    open[first as usize] = true;
                }
                [a, b] => {
                    found.inconsistent += u64::from((a ^ b) & 1 == 0);
                    parts.join(first, (*b as u32) >> 1);
                }
                more => {
                    found.non_manifold += 1;
                    open[first as usize] = true;
                    for other in more {
                        parts.join(first, (*other as u32) >> 1);
                    }
                }
            }
        }
    });

    let mut volumes = vec![0.0_f64; mesh.faces.len()];
    for (face, number) in mesh.faces.iter().zip(0_u32..) {
        if !whole(face) {
            found.collapsed += 1;
            continue;
        }
        let part = parts.of(number) as usize;
        found.shells += u64::from(part == number as usize);
        volumes[part] += wedge(face.map(|corner| wide(mesh.points[corner as usize])));
        if open[number as usize] {
            open[part] = true;
        }
    }
    found.inverted_shells = volumes.iter().zip(&open).filter(|(volume, open)| **volume < 0.0 && !**open).count() as u64;
    drop((volumes, open, parts));

    let triples = Buckets::gather(mesh.points.len(), |put| {
        for face in mesh.faces.iter().filter(|face| whole(face)) {
            let mut sorted = *face;
            sorted.sort_unstable();
            put(sorted[0], (u64::from(sorted[1]) << 32) | u64::from(sorted[2]));
        }
    });
    triples.each(|bucket| found.duplicate += bucket.windows(2).filter(|two| two[0] == two[1]).count() as u64);
    found
}

/// Things that belong to numbers, those of a number side by side.
struct Buckets {
    ends: Vec<u32>,
    things: Vec<u64>,
}

impl Buckets {
    /// Runs through all things twice: to count, and to put them where they belong.
    fn gather(buckets: usize, run: impl Fn(&mut dyn FnMut(u32, u64))) -> Self {
        let mut ends = vec![0_u32; buckets];
        run(&mut |bucket, _| ends[bucket as usize] += 1);
        let mut sum = 0;
        for end in &mut ends {
            let count = *end;
            *end = sum;
            sum += count;
        }
        let mut things = vec![0; sum as usize];
        run(&mut |bucket, thing| {
            let end = &mut ends[bucket as usize];
            things[*end as usize] = thing;
            *end += 1;
        });
        Self { ends, things }
    }

    /// The things of each number, sorted.
    fn each(mut self, mut visit: impl FnMut(&[u64])) {
        let mut start = 0;
        for end in &self.ends {
            let bucket = &mut self.things[start as usize..*end as usize];
            bucket.sort_unstable();
            visit(bucket);
            start = *end;
        }
    }
}

/// Which triangles belong together. The lowest number of a part stands for it.
struct Parts {
    above: Vec<u32>,
}

impl Parts {
    fn of(&mut self, mut one: u32) -> u32 {
        loop {
            let above = self.above[one as usize];
            if above == one {
                return one;
            }
            let further = self.above[above as usize];
            self.above[one as usize] = further;
            one = further;
        }
    }

    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.of(a), self.of(b));
        let (low, high) = if a < b { (a, b) } else { (b, a) };
        self.above[high as usize] = low;
    }
}
