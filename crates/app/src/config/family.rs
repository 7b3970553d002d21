//! Sections that operators name themselves, such as `[limits.policies.<name>]`.

use super::{Reader, assistant, dependencies, hooks, issuers, oauth, policies, report::nearest};

/// Sections of one kind.
#[derive(Debug)]
pub(super) struct Family {
    /// What all their keys begin with.
    pub(super) section: &'static str,
    /// And in the environment.
    pub(super) variables: &'static str,
    /// What there is to say in one.
    pub(super) fields: &'static [Field],
}

/// One thing to say.
#[derive(Debug)]
pub(super) struct Field {
    name: &'static str,
    /// What holds when it is not said.
    default: &'static str,
    secret: bool,
}

/// Every kind.
const ALL: [&Family; 9] = [
    &policies::FAMILY,
    &oauth::FAMILY,
    &issuers::FAMILY,
    &hooks::FAMILY,
    &dependencies::FAMILY,
    &assistant::PROVIDERS,
    &assistant::MODELS,
    &assistant::PRICES,
    &assistant::BUDGETS,
];

impl Field {
    pub(super) const fn new(name: &'static str, default: &'static str) -> Self {
        Self { name, default, secret: false }
    }

    /// Never printed, and refused in files.
    pub(super) const fn secret(name: &'static str) -> Self {
        Self { name, default: "", secret: true }
    }
}

impl Family {
    /// The name of the section that a key such as `limits.policies.search.limit` belongs to; `None` for any other key.
    pub(super) fn named<'k>(&self, key: &'k str) -> Option<&'k str> {
        self.split(key).map(|(name, _)| name)
    }

    fn split<'k>(&self, key: &'k str) -> Option<(&'k str, &'static Field)> {
        let (name, field) = key.strip_prefix(self.section)?.split_once('.')?;
        let field = self.fields.iter().find(|known| known.name == field)?;
        is_name(name).then_some((name, field))
    }

    /// A key of the section of this name that somebody set.
    pub(super) fn first_set(&self, reader: &Reader<'_>, name: &str) -> Option<String> {
        let keys = self.fields.iter().map(|field| self.key(name, field.name));
        keys.into_iter().find(|key| reader.is_set(key))
    }

    fn key(&self, name: &str, field: &str) -> String {
        format!("{}{name}.{field}", self.section)
    }
}

fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.len() <= 40 && name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(fits)
}

/// Whether a key belongs to a section of one of these kinds.
pub(super) fn holds(key: &str) -> bool {
    ALL.iter().any(|family| family.named(key).is_some())
}

/// Where a secret is to be set that belongs to one, by a key that must not stand in a file; `None` for what may.
pub(super) fn variable_of_secret(key: &str) -> Option<String> {
    ALL.iter().find_map(|family| {
        let (name, field) = family.split(key)?;
        let variable = || format!("{}{}__{}", family.variables, name.to_uppercase(), field.name.to_uppercase());
        field.secret.then(variable)
    })
}

/// The key of a variable such as `SOUK__LIMITS__POLICIES__SEARCH__LIMIT`.
pub(super) fn key_of(variable: &str) -> Option<String> {
    ALL.iter().find_map(|family| {
        let (name, field) = variable.strip_prefix(family.variables)?.split_once("__")?;
        let key = family.key(&name.to_lowercase(), &field.to_lowercase());
        family.named(&key)?;
        Some(key)
    })
}

/// All keys of the section that a key belongs to, with what holds when nothing is said.
pub(super) fn defaults(key: &str) -> Vec<(String, &'static str)> {
    let found = ALL.iter().find_map(|family| Some((family, family.named(key)?)));
    let all =
        found.map(|(family, name)| family.fields.iter().map(|field| (family.key(name, field.name), field.default)));
    all.into_iter().flatten().collect()
}

/// What might have been meant by a key that is not known.
pub(super) fn near(key: &str) -> Option<String> {
    ALL.iter().find_map(|family| {
        let (name, field) = key.strip_prefix(family.section)?.split_once('.')?;
        nearest(field, family.fields.iter().map(|known| known.name)).map(|near| family.key(name, near))
    })
}
