//! The table of roles and what each may do, for people to read.

use std::fmt::Write as _;

use super::StoredRole;
use crate::permission::Permissions;

/// One line for each permission, one column for each role. Ends with a line break.
pub fn table(roles: &[StoredRole]) -> String {
    let first = Permissions::ALL.names().map(str::len).max().unwrap_or_default();
    let mut text = format!("{:first$}", "");
    // Writing to a String cannot fail.
    for role in roles {
        let _ = write!(text, "  {}", role.role.name());
    }
    for name in Permissions::ALL.names() {
        let one = Permissions::of_names([name]);
        let _ = write!(text, "\n{name:first$}");
        for role in roles {
            let mark = if role.permissions().has(one) { "yes" } else { "-" };
            let _ = write!(text, "  {mark:width$}", width = role.role.name().len());
        }
    }
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_roles_may_this_as_delivered() {
        let expected = "\
                   guest  user  seller  admin
account:own        yes    yes   yes     yes
account:change     -      yes   yes     yes
reviews:write      -      yes   yes     yes
rooms:use          -      yes   yes     yes
keys:manage        -      yes   yes     yes
members:manage     -      yes   yes     yes
products:write     -      -     yes     yes
catalog:manage     -      -     -       yes
reviews:moderate   -      -     -       yes
rooms:manage       -      -     -       yes
audit:read         -      -     -       yes
jobs:manage        -      -     -       yes
hooks:manage       -      -     -       yes
users:manage       -      -     -       yes
roles:manage       -      -     -       yes
webhooks:manage    -      yes   yes     yes
webhooks:administer -     -     -       yes
assistant:use      -      yes   yes     yes
assistant:manage   -      -     -       yes
prompts:write      -      -     -       yes
users:impersonate  -      -     -       yes
";
        let table = table(&StoredRole::delivered());
        // The column is as wide as the longest name.
        let squeezed = |text: &str| {
            text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
        };
        assert_eq!(squeezed(&table), squeezed(expected), "{table}");
        assert!(table.lines().skip(1).all(|line| line.len() <= table.lines().next().unwrap().len()));
    }
}
