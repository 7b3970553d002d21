//! The templates of prompts: whatever one says, it ends soon, holds little memory and reads nothing but its values.

use std::{collections::BTreeSet, thread};

use domain::assistant::prompts::ports::{TemplateFault, Templates};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, syntax::SyntaxConfig};
use serde_json::{Map, Value};

/// How much a template may do: a step of it costs one, and so do 64 bytes that it makes or reads.
const FUEL: u64 = 100_000;
/// The longest template, in bytes.
const LONGEST: usize = 80_000;
/// Room for a template that is one chain of operators.
const STACK: usize = 512 * 1024 * 1024;
/// How deep calls may go.
const DEPTH: usize = 64;
/// The functions that templates know.
const FUNCTIONS: [&str; 3] = ["range", "dict", "namespace"];
/// What a template is called in messages of the engine; they are told in our own words.
const NAME: &str = "template";

/// Makes words of templates in the language of Jinja. A name that nobody declared is a fault, and so is the name of another template: there
/// is none. Values stand in the words as they are, never read as templates, and without escapes, for a model reads no HTML.
pub struct JinjaTemplates {
    environment: Environment<'static>,
}

impl std::fmt::Debug for JinjaTemplates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JinjaTemplates(..)")
    }
}

impl Default for JinjaTemplates {
    fn default() -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_fuel(Some(FUEL));
        environment.set_recursion_limit(DEPTH);
        // What a template ends with is its writer's matter.
        if let Ok(syntax) = SyntaxConfig::builder().keep_trailing_newline(true).build() {
            environment.set_syntax(syntax);
        }
        // It shows all there is.
        environment.remove_global("debug");
        Self { environment }
    }
}

impl Templates for JinjaTemplates {
    fn names(&self, template: &str) -> Result<BTreeSet<String>, TemplateFault> {
        with_room(|| {
            let read = self.environment.template_from_named_str(NAME, template).map_err(|fault| told(&fault))?;
            let mut names: BTreeSet<String> = read.undeclared_variables(false).into_iter().collect();
            names.retain(|name| !FUNCTIONS.contains(&name.as_str()));
            Ok(names)
        })
    }

    fn render(&self, template: &str, values: &Map<String, Value>, most: usize) -> Result<String, TemplateFault> {
        if template.len() > LONGEST {
            let message = format!("has more than {LONGEST} bytes; say less");
            return Err(TemplateFault { line: None, message, is_lasting: true });
        }
        if !template.contains('{') && template.len() <= most {
            return Ok(template.to_owned());
        }
        let text = with_room(|| {
            let read = self.environment.template_from_named_str(NAME, template).map_err(|fault| told(&fault))?;
            read.render(object(values)).map_err(|fault| told(&fault))
        })?;
        if text.len() <= most {
            return Ok(text);
        }
        let message = format!("makes more than the {most} bytes that are left for the whole prompt; say less");
        Err(TemplateFault { line: None, message, is_lasting: false })
    }
}

/// Reads a template on a stack of its own: one chain of operators is as deep as it is long, and no stack of a server has room for that. What
/// is not touched of it takes no memory.
fn with_room<T: Send>(work: impl FnOnce() -> Result<T, TemplateFault> + Send) -> Result<T, TemplateFault> {
    let away = || TemplateFault {
        line: None,
        message: "could not be read just now; try it again".to_owned(),
        is_lasting: false,
    };
    thread::scope(|scope| {
        let begun = thread::Builder::new().name("template".to_owned()).stack_size(STACK).spawn_scoped(scope, work);
        begun.map_err(|_| away())?.join().unwrap_or_else(|_| Err(away()))
    })
}

fn object(fields: &Map<String, Value>) -> minijinja::Value {
    minijinja::Value::from_pairs(fields.iter().map(|(name, field)| (name.as_str(), value(field))))
}

fn value(json: &Value) -> minijinja::Value {
    match json {
        Value::Null => ().into(),
        Value::Bool(flag) => (*flag).into(),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => whole.into(),
            None => number.as_f64().into(),
        },
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => items.iter().map(value).collect::<Vec<_>>().into(),
        Value::Object(fields) => object(fields),
    }
}

/// The fault in our own words, with what to do about it. What the engine says may quote the template, never a value.
fn told(fault: &Error) -> TemplateFault {
    let line = fault.line().and_then(|line| u32::try_from(line).ok());
    let detail = fault.detail().unwrap_or_default();
    let (message, is_lasting) = match fault.kind() {
        ErrorKind::SyntaxError => (format!("cannot be read: {detail}; mind the braces, and end what begins"), true),
        ErrorKind::OutOfFuel => ("takes too long; say it with fewer and shorter loops".to_owned(), true),
        ErrorKind::UnknownFilter => (format!("{detail}; use a filter of Jinja that there is"), true),
        ErrorKind::UnknownTest => (format!("{detail}; use a test of Jinja that there is"), true),
        ErrorKind::UnknownFunction => (format!("{detail}; there are {} alone", FUNCTIONS.join(", ")), true),
        ErrorKind::TemplateNotFound | ErrorKind::BadInclude | ErrorKind::UnknownBlock | ErrorKind::EvalBlock => {
            ("names another template, and there is none; write it all here".to_owned(), true)
        }
        ErrorKind::UndefinedError => {
            let message = "looks up what these values do not have; ask first whether it is defined".to_owned();
            (message, false)
        }
        kind => (format!("cannot do with these values what it says: {kind}"), false),
    };
    TemplateFault { line, message, is_lasting }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use serde_json::json;

    use super::*;

    fn values() -> Map<String, Value> {
        let values = json!({ "x": "lamp", "n": 3, "loud": false, "notes": ["a", "b"], "price": "19.95" });
        values.as_object().cloned().unwrap()
    }

    fn render(template: &str) -> Result<String, TemplateFault> {
        JinjaTemplates::default().render(template, &values(), 1_000_000)
    }

    #[test]
    fn a_template_says_what_it_says() {
        for (template, text) in [
            ("Sell {{ x }}.\n", "Sell lamp.\n"),
            ("{% for note in notes %}- {{ note }}\n{% endfor %}", "- a\n- b\n"),
            ("{% if loud %}!{% else %}{{ x|upper }}{% endif %}", "LAMP"),
            ("{{ notes|join(', ') }} {{ n + 1 }} {{ price }}", "a, b 4 19.95"),
            ("{{ notes|tojson }}", "[\"a\", \"b\"]"),
            ("{% set y = x %}{{ y }} {{ range(3)|list }}", "lamp [0, 1, 2]"),
            ("{{ x if n > 2 else 'none' }} {# of no interest #}", "lamp "),
        ] {
            assert_eq!(render(template).unwrap(), text, "{template}");
        }
    }

    #[test]
    fn the_names_a_template_looks_up_are_known_before_it_does() {
        let names = |template: &str| JinjaTemplates::default().names(template).unwrap().into_iter().collect::<Vec<_>>();
        assert_eq!(
            names("{{ a }} {% if false %}{{ b.c }}{% endif %} {% for d in e %}{{ d }}{{ loop.index }}{% endfor %}"),
            ["a", "b", "e"]
        );
        assert_eq!(names("{% set a = 1 %}{{ a }}{{ range(3) }}{{ dict(a=b) }}"), ["b"]);
        assert_eq!(names("{{ debug() }}"), ["debug"], "it is a variable that nobody can declare without saying so");
    }

    #[test]
    fn a_value_is_no_template_and_stands_as_it_is() {
        let templates = JinjaTemplates::default();
        for text in
            ["{{ secret }}", "{% for x in range(9) %}", "<b>&amp;\"'</b>", "\u{202e}\u{fffd}e\u{301}", "{#", "\r\n\t"]
        {
            let values = json!({ "x": text, "list": [text] });
            let made =
                templates.render("{{ x }}|{{ list[0] }}|{{ x ~ '' }}", values.as_object().unwrap(), 1000).unwrap();
            assert_eq!(made, format!("{text}|{text}|{text}"));
        }
    }

    #[test]
    fn what_would_never_end_or_fill_the_memory_is_refused_soon() {
        let deep = format!("{}{}", "(".repeat(9_000), ")".repeat(9_000));
        let nested = format!("{}x{}", "{% if true %}".repeat(700), "{% endif %}".repeat(700));
        let wide = "{{ x|replace('l', 'llllllllll')|replace('l', 'llllllllll')|replace('l', 'llllllllll')\
                    |replace('l', 'llllllllll')|replace('l', 'llllllllll')|replace('l', 'llllllllll')\
                    |replace('l', 'llllllllll')|replace('l', 'llllllllll') }}";
        let began = Instant::now();
        for template in [
            "{% for a in range(10**9) %}x{% endfor %}",
            "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}",
            "{{ 'x' * 1000000000 }}",
            "{{ ('x' * 100000) * 100000 }}",
            "{{ [0] * 1000000000 }}",
            "{% set ns = namespace(s='x') %}{% for a in range(99999) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}{{ ns.s }}",
            "{{ 9 ** 9 ** 9 ** 9 }}",
            "{{ '%999999999d'|format(1) }}",
            "{{ x|center(999999999) }}",
            "{{ x|indent(999999999) }}",
            "{{ range(99999)|list|tojson }}{{ range(99999)|list|tojson(indent=100) }}{{ range(99999)|map('string')|join('--------------') }}",
            wide,
            &format!("{{{{ {deep} }}}}"),
            &nested,
            &format!("{{{{ x{} }}}}", ".a".repeat(9_000)),
            &format!("{{{{ {} }}}}", "[".repeat(9_000)),
            &format!("{{{{ {}x }}}}", "-".repeat(19_000)),
            &format!("{{% if x %}}{}{{% endif %}}{{{{ 1 // 0 }}}}", "{% elif x %}".repeat(1_600)),
        ] {
            let refused = render(template);
            assert!(refused.is_err(), "{template:.60}: {} bytes", refused.unwrap().len());
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
        // A stack that is too small ends the whole program.
        assert_eq!(render(&format!("{{{{ {}x }}}}", "x and ".repeat(3_000))), Ok("lamp".to_owned()));
        assert_eq!(
            render(&format!("{{{{ {}x }}}}", "not ".repeat(4_500))).map(|text| text.to_lowercase()),
            Ok("true".to_owned())
        );
        let long = JinjaTemplates::default().render("{{ 'x' * 1001 }}", &values(), 1000).unwrap_err();
        assert!(long.message.contains("1000 bytes"), "{}", long.message);
    }

    #[test]
    fn a_fault_says_where_it_is_and_what_to_do() {
        for (template, line, words, is_lasting) in [
            ("a\n{{ x", Some(2), "mind the braces", true),
            ("a\n\n{{ x|explode }}", Some(3), "use a filter of Jinja", true),
            ("{{ x is explosive }}", Some(1), "use a test of Jinja", true),
            ("{{ lipsum() }}", Some(1), "range, dict, namespace", true),
            ("{% include 'secrets.txt' %}", Some(1), "there is none", true),
            ("{% extends '/etc/passwd' %}", Some(1), "there is none", true),
            ("{{ notes[7] }}", Some(1), "is defined", false),
            ("{{ x + 1 }}", Some(1), "with these values", false),
            ("{{ 1 // 0 }}", Some(1), "with these values", false),
        ] {
            let fault = render(template).unwrap_err();
            assert_eq!((fault.line, fault.is_lasting), (line, is_lasting), "{template}: {}", fault.message);
            assert!(fault.message.contains(words), "{template}: {}", fault.message);
        }
        let shown = format!("{:?}", render("{{ x.nothing.more }} {{ x|int }}").unwrap_err());
        assert!(!shown.contains("lamp"), "no value stands in a fault: {shown}");
    }
}
