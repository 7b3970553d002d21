//! Shows every effective value with its source, and no secret.

use std::fmt::Write;

use super::{Layers, Setting, all, family};

/// The settings as a table, one a line: `key = value  # source`.
pub(crate) fn print(layers: &Layers) -> String {
    let mut text = String::new();
    for setting in all() {
        let Some((value, origin)) = layers.value(setting.key) else { continue };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{} = {}  # {origin}", setting.key, shown(setting, value));
    }
    for key in layers.keys().filter(|key| family::holds(key)) {
        let Some((value, origin)) = layers.value(key) else { continue };
        let shown = match (value, family::variable_of_secret(key)) {
            ("", Some(_)) => "(not set)",
            (_, Some(_)) => "(hidden)",
            (value, None) => value,
        };
        let _ = writeln!(text, "{key} = {shown}  # {origin}");
    }
    for warning in &layers.warnings {
        let _ = writeln!(text, "# warning: {warning}");
    }
    text
}

fn shown(setting: &Setting, value: &str) -> String {
    match value {
        "" => "(not set)".to_owned(),
        _ if setting.secret => "(hidden)".to_owned(),
        value => without_password(value),
    }
}

/// A URL without the password in it.
fn without_password(text: &str) -> String {
    let masked = || {
        let (scheme, rest) = text.split_once("://")?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end)?;
        let (who, host) = authority.rsplit_once('@')?;
        let (user, _) = who.split_once(':')?;
        Some(format!("{scheme}://{user}:(hidden)@{host}{path}"))
    };
    // A password may also stand in the query.
    match text.split_once("password=") {
        Some((before, _)) => format!("{before}password=(hidden)"),
        None => masked().unwrap_or_else(|| text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_in_urls_are_hidden() {
        assert_eq!(without_password("postgres://u:p@h/n?sslmode=require"), "postgres://u:(hidden)@h/n?sslmode=require");
        assert_eq!(without_password("postgres://u@h/n?password=x"), "postgres://u@h/n?password=(hidden)");
        assert_eq!(without_password("sqlite:data/souk.db"), "sqlite:data/souk.db");
    }
}
