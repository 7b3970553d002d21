//! Where the password of a new account comes from: asked for on a terminal, read, or made.

use std::io::{self, IsTerminal, Read};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::clock::Entropy;

/// The password the operator gives; `None` when one shall be made.
pub(super) fn given(from_input: bool) -> Result<Option<String>, Box<dyn std::error::Error>> {
    if from_input {
        return Ok(Some(from_stdin()?));
    }
    if io::stdin().is_terminal() {
        return ask(|prompt| rpassword::prompt_password(prompt));
    }
    Ok(None)
}

/// Asks twice, without showing what is typed.
fn ask(mut prompt: impl FnMut(&str) -> io::Result<String>) -> Result<Option<String>, Box<dyn std::error::Error>> {
    let first = prompt("Password (nothing: one is made and shown): ")?;
    if first.is_empty() {
        return Ok(None);
    }
    if prompt("The same again: ")? != first {
        return Err("the account was not made: the two passwords differ".into());
    }
    Ok(Some(first))
}

/// The password on the standard input, without the end of its line.
pub(crate) fn from_stdin() -> io::Result<String> {
    let mut text = String::new();
    io::stdin().take(8 * 1024).read_to_string(&mut text)?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// Sixteen random characters.
pub(crate) fn one_time(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; 12];
    entropy.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(lines: &[&str]) -> Result<Option<String>, String> {
        let mut lines = lines.iter();
        let typed = ask(|_| lines.next().map(|line| (*line).to_owned()).ok_or(io::ErrorKind::UnexpectedEof.into()));
        typed.map_err(|error| error.to_string())
    }

    #[test]
    fn a_password_is_typed_twice() {
        assert_eq!(typed(&["correct horse", "correct horse"]), Ok(Some("correct horse".to_owned())));
        assert!(typed(&["correct horse", "correct hose"]).unwrap_err().contains("differ"));
        assert!(typed(&["correct horse"]).is_err(), "the terminal went away");
    }

    #[test]
    fn nothing_typed_asks_for_one_to_be_made() {
        assert_eq!(typed(&[""]), Ok(None));
    }
}
