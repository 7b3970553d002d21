//! `Content-Disposition` for a name of any script (RFC 6266, RFC 8187).

use std::fmt::Write as _;

use domain::assets::files::FileName;

/// The value that has a browser save a file under its name. Nothing in a name can end the value or the header.
pub(crate) fn attachment(name: &FileName) -> String {
    let name = name.as_str();
    // For clients that know the plain form alone: what they might misread becomes a line.
    let plain = |c: char| if c.is_ascii_graphic() && !"\"\\%;".contains(c) || c == ' ' { c } else { '_' };
    let fallback: String = name.chars().map(plain).collect();
    let mut value = format!("attachment; filename=\"{fallback}\"");
    if fallback != name {
        value.push_str("; filename*=UTF-8''");
        for byte in name.bytes() {
            if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
                value.push(char::from(byte));
            } else {
                let _ = write!(value, "%{byte:02X}");
            }
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_any_script_is_told_in_both_forms() {
        for (name, expected) in [
            ("plan v2.stl", "attachment; filename=\"plan v2.stl\""),
            ("Hülle.stl", "attachment; filename=\"H_lle.stl\"; filename*=UTF-8''H%C3%BClle.stl"),
            ("a\"; x=\"b", "attachment; filename=\"a__ x=_b\"; filename*=UTF-8''a%22%3B%20x%3D%22b"),
            ("100%.txt", "attachment; filename=\"100_.txt\"; filename*=UTF-8''100%25.txt"),
            ("模型", "attachment; filename=\"__\"; filename*=UTF-8''%E6%A8%A1%E5%9E%8B"),
        ] {
            assert_eq!(attachment(&FileName::new(name).unwrap()), expected);
        }
    }

    #[test]
    fn every_name_makes_a_header() {
        for c in ('\0'..=char::MAX).step_by(997).chain('\0'..='\u{ff}') {
            let Ok(name) = FileName::new(&format!("a{c}b")) else { continue };
            let value = attachment(&name);
            assert!(value.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{value}");
            assert!([2, 0].contains(&value.matches('"').count()) && !value.contains('\\'), "{value}");
        }
    }
}
