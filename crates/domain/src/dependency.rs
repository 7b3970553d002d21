//! What it means that something we stand on is away: declared here, once, for `/ready`, for operators and for tests.

use std::fmt::Write as _;

/// Where it is told that something is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// By `/ready`, under the name, and by the metric `dependency_up`.
    Ready,
    /// By this metric alone.
    Metric(&'static str),
    /// By whoever asks the nodes for `/ready`: a node that is away tells nothing.
    Balancer,
}

/// What it means that something is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Absence {
    /// Its name in `/ready`.
    pub name: &'static str,
    /// Without it nothing is served.
    pub required: bool,
    /// What does not work.
    pub lacks: &'static str,
    /// What still does.
    pub works: &'static str,
    /// What whoever needs it is answered: a status and its code, or nothing when nobody notices.
    pub answer: Option<&'static str>,
    /// Where it is told.
    pub told: Told,
}

/// Everything we stand on.
pub const ABSENCES: &[Absence] = &[
    Absence {
        name: "database",
        required: true,
        lacks: "whatever reads or changes the shop",
        works: "/health, /metrics, the documents, and answers that are kept for a moment longer; it is found again by itself",
        answer: Some("503 UNAVAILABLE with Retry-After, within two seconds"),
        told: Told::Ready,
    },
    Absence {
        name: "migrations",
        required: true,
        lacks: "what needs the newer schema",
        works: "what does not",
        answer: None,
        told: Told::Ready,
    },
    Absence {
        name: "redis",
        required: false,
        lacks: "limits, presence and the bus over all nodes, and the cache they share",
        works: "everything: each node counts and tells by itself and reads the database; events come from the log",
        answer: None,
        told: Told::Ready,
    },
    Absence {
        name: "cache",
        required: false,
        lacks: "answers out of the cache that nodes share",
        works: "everything, out of the database",
        answer: None,
        told: Told::Metric("cache_trusted"),
    },
    Absence {
        name: "files",
        required: false,
        lacks: "bringing and fetching files, pictures and models",
        works: "everything else; what was begun by a job goes on when the store is back",
        answer: Some("503 UNAVAILABLE with Retry-After"),
        told: Told::Ready,
    },
    Absence {
        name: "scanner",
        required: false,
        lacks: "bringing files, pictures and models",
        works: "everything else; files are fetched as always",
        answer: Some("503 UNAVAILABLE with Retry-After"),
        told: Told::Ready,
    },
    Absence {
        name: "mail",
        required: false,
        lacks: "letters, for a while",
        works: "everything: letters wait as jobs and go out when the server is back",
        answer: None,
        told: Told::Ready,
    },
    Absence {
        name: "providers",
        required: false,
        lacks: "signing in with a provider that is away",
        works: "every other way to sign in, and whoever is signed in",
        answer: Some("503 UNAVAILABLE with Retry-After"),
        told: Told::Ready,
    },
    Absence {
        name: "issuers",
        required: false,
        lacks: "tokens of an issuer whose keys were not had for a day",
        works: "its tokens by the keys that are known, and everybody else",
        answer: Some("503 UNAVAILABLE with Retry-After"),
        told: Told::Ready,
    },
    Absence {
        name: "assistant",
        required: false,
        lacks: "answers of language models whose provider is away, and meaning in search where one of them makes its vectors",
        works: "everything else; where a model has other deployments they answer, and search goes on by words alone",
        answer: Some("503 `provider_unavailable`"),
        told: Told::Ready,
    },
    Absence {
        name: "replica",
        required: false,
        lacks: "another node of the shop",
        works: "everything, on the nodes that are left: their jobs, schedule and rooms are taken over",
        answer: None,
        told: Told::Balancer,
    },
];

/// What the absence of the thing of this name means.
pub fn absence(name: &str) -> Option<&'static Absence> {
    ABSENCES.iter().find(|absence| absence.name == name)
}

/// The table for operators, in Markdown; the README shows it.
pub fn table() -> String {
    let mut text =
        "| Away | What lacks | What works | What is answered | Told by |\n|---|---|---|---|---|\n".to_owned();
    for Absence { name, required, lacks, works, answer, told } in ABSENCES {
        let told = match told {
            Told::Ready if *required => "`/ready` with 503".to_owned(),
            Told::Ready => "`/ready`, as `degraded`".to_owned(),
            Told::Metric(metric) => format!("`{metric}`"),
            Told::Balancer => "the balancer".to_owned(),
        };
        let answer = answer.unwrap_or("as always");
        // Writing to a String cannot fail.
        let _ = writeln!(text, "| `{name}` | {lacks} | {works} | {answer} | {told} |");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::Path};

    use super::*;

    #[test]
    fn the_readme_shows_the_table() {
        let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
        let readme = std::fs::read_to_string(readme).unwrap();
        assert!(readme.contains(&table()), "the README lacks this table:\n{}", table());
    }

    #[test]
    fn each_is_declared_once() {
        let names: BTreeSet<&str> = ABSENCES.iter().map(|absence| absence.name).collect();
        assert_eq!(names.len(), ABSENCES.len());
        assert!(names.iter().all(|name| absence(name).is_some_and(|found| found.name == *name)));
        assert_eq!(absence("nothing"), None);
    }
}
