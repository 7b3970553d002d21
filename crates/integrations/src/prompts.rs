//! The templates of prompts: whatever one says, it ends soon, holds little memory and reads nothing but its values.

use std::{collections::BTreeSet, num::NonZeroUsize, sync::Arc, thread};

use async_trait::async_trait;
use domain::assistant::prompts::ports::{TemplateFault, Templates};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, syntax::SyntaxConfig};
use serde_json::{Map, Value};
use tokio::sync::{Semaphore, oneshot};

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
///
/// A template is read on a thread of its own, as many at once as there are processors; the others wait, each for as long as those before it
/// may take.
#[derive(Clone)]
pub struct JinjaTemplates {
    environment: Arc<Environment<'static>>,
    room: Arc<Semaphore>,
}

impl std::fmt::Debug for JinjaTemplates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JinjaTemplates(..)")
    }
}

impl Default for JinjaTemplates {
    fn default() -> Self {
        Self::at_once(thread::available_parallelism().map_or(1, NonZeroUsize::get))
    }
}

impl JinjaTemplates {
    /// Reads so many templates at once.
    fn at_once(most: usize) -> Self {
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
        Self { environment: Arc::new(environment), room: Arc::new(Semaphore::new(most)) }
    }

    /// Reads a template on a stack of its own: one chain of operators is as deep as it is long, and no stack of a server has room for that,
    /// nor have those of the runtime's threads that may be held up. What is not touched of it takes no memory.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Environment<'static>) -> Result<T, TemplateFault> + Send + 'static,
    ) -> Result<T, TemplateFault> {
        let room = Arc::clone(&self.room).acquire_owned().await.map_err(|_| away())?;
        let (environment, (tell, told)) = (Arc::clone(&self.environment), oneshot::channel());
        let work = move || {
            // Held by the work itself: who asked may go away before it is done, and then nobody is told.
            let _room = room;
            let _ = tell.send(work(&environment));
        };
        thread::Builder::new().name("template".to_owned()).stack_size(STACK).spawn(work).map_err(|_| away())?;
        told.await.unwrap_or_else(|_| Err(away()))
    }
}

fn away() -> TemplateFault {
    let message = "could not be read just now; try it again".to_owned();
    TemplateFault { line: None, message, is_lasting: false }
}

#[async_trait]
impl Templates for JinjaTemplates {
    async fn names(&self, template: &str) -> Result<BTreeSet<String>, TemplateFault> {
        let template = template.to_owned();
        self.read(move |environment| {
            let read = environment.template_from_named_str(NAME, &template).map_err(|fault| told(&fault))?;
            let mut names: BTreeSet<String> = read.undeclared_variables(false).into_iter().collect();
            names.retain(|name| !FUNCTIONS.contains(&name.as_str()));
            Ok(names)
        })
        .await
    }

    async fn render(
        &self,
        template: &str,
        values: &Arc<Map<String, Value>>,
        most: usize,
    ) -> Result<String, TemplateFault> {
        if template.len() > LONGEST {
            let message = format!("has more than {LONGEST} bytes; say less");
            return Err(TemplateFault { line: None, message, is_lasting: true });
        }
        if !template.contains('{') && template.len() <= most {
            return Ok(template.to_owned());
        }
        let (template, values) = (template.to_owned(), Arc::clone(values));
        let text = self.read(move |environment| {
            let read = environment.template_from_named_str(NAME, &template).map_err(|fault| told(&fault))?;
            read.render(object(&values)).map_err(|fault| told(&fault))
        });
        let text = text.await?;
        if text.len() <= most {
            return Ok(text);
        }
        let message = format!("makes more than the {most} bytes that are left for the whole prompt; say less");
        Err(TemplateFault { line: None, message, is_lasting: false })
    }
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
    use std::{pin::pin, sync::mpsc, time::Duration};

    use futures_util::poll;
    use serde_json::json;
    use tokio::time::timeout;

    use super::*;

    fn values() -> Arc<Map<String, Value>> {
        let values = json!({ "x": "lamp", "n": 3, "loud": false, "notes": ["a", "b"], "price": "19.95" });
        Arc::new(values.as_object().cloned().unwrap())
    }

    async fn render(template: &str) -> Result<String, TemplateFault> {
        JinjaTemplates::default().render(template, &values(), 1_000_000).await
    }

    #[tokio::test]
    async fn a_template_says_what_it_says() {
        for (template, text) in [
            ("Sell {{ x }}.\n", "Sell lamp.\n"),
            ("{% for note in notes %}- {{ note }}\n{% endfor %}", "- a\n- b\n"),
            ("{% if loud %}!{% else %}{{ x|upper }}{% endif %}", "LAMP"),
            ("{{ notes|join(', ') }} {{ n + 1 }} {{ price }}", "a, b 4 19.95"),
            ("{{ notes|tojson }}", "[\"a\", \"b\"]"),
            ("{% set y = x %}{{ y }} {{ range(3)|list }}", "lamp [0, 1, 2]"),
            ("{{ x if n > 2 else 'none' }} {# of no interest #}", "lamp "),
        ] {
            assert_eq!(render(template).await.unwrap(), text, "{template}");
        }
    }

    #[tokio::test]
    async fn the_names_a_template_looks_up_are_known_before_it_does() {
        let names = async |template: &str| {
            let names = JinjaTemplates::default().names(template).await.unwrap();
            names.into_iter().collect::<Vec<_>>()
        };
        assert_eq!(
            names("{{ a }} {% if false %}{{ b.c }}{% endif %} {% for d in e %}{{ d }}{{ loop.index }}{% endfor %}")
                .await,
            ["a", "b", "e"]
        );
        assert_eq!(names("{% set a = 1 %}{{ a }}{{ range(3) }}{{ dict(a=b) }}").await, ["b"]);
        assert_eq!(
            names("{{ debug() }}").await,
            ["debug"],
            "it is a variable that nobody can declare without saying so"
        );
    }

    #[tokio::test]
    async fn a_value_is_no_template_and_stands_as_it_is() {
        let templates = JinjaTemplates::default();
        for text in
            ["{{ secret }}", "{% for x in range(9) %}", "<b>&amp;\"'</b>", "\u{202e}\u{fffd}e\u{301}", "{#", "\r\n\t"]
        {
            let values = json!({ "x": text, "list": [text] });
            let values = Arc::new(values.as_object().cloned().unwrap());
            let made = templates.render("{{ x }}|{{ list[0] }}|{{ x ~ '' }}", &values, 1000).await.unwrap();
            assert_eq!(made, format!("{text}|{text}|{text}"));
        }
    }

    #[tokio::test]
    async fn what_would_never_end_or_fill_the_memory_is_refused_soon() {
        let deep = format!("{}{}", "(".repeat(9_000), ")".repeat(9_000));
        let nested = format!("{}x{}", "{% if true %}".repeat(700), "{% endif %}".repeat(700));
        let wide = "{{ x|replace('l', 'llllllllll')|replace('l', 'llllllllll')|replace('l', 'llllllllll')\
                    |replace('l', 'llllllllll')|replace('l', 'llllllllll')|replace('l', 'llllllllll')\
                    |replace('l', 'llllllllll')|replace('l', 'llllllllll') }}";
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
            // What would never end takes more than any machine that is busy with other tests.
            let refused = timeout(Duration::from_mins(2), render(template)).await;
            let refused = refused.unwrap_or_else(|_| panic!("{template:.60}: it does not end"));
            assert!(refused.is_err(), "{template:.60}: {} bytes", refused.unwrap().len());
        }
        // A stack that is too small ends the whole program.
        assert_eq!(render(&format!("{{{{ {}x }}}}", "x and ".repeat(3_000))).await, Ok("lamp".to_owned()));
        assert_eq!(
            render(&format!("{{{{ {}x }}}}", "not ".repeat(4_500))).await.map(|text| text.to_lowercase()),
            Ok("true".to_owned())
        );
        let long = JinjaTemplates::default().render("{{ 'x' * 1001 }}", &values(), 1000).await.unwrap_err();
        assert!(long.message.contains("1000 bytes"), "{}", long.message);
    }

    #[tokio::test]
    async fn a_fault_says_where_it_is_and_what_to_do() {
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
            let fault = render(template).await.unwrap_err();
            assert_eq!((fault.line, fault.is_lasting), (line, is_lasting), "{template}: {}", fault.message);
            assert!(fault.message.contains(words), "{template}: {}", fault.message);
        }
        let shown = format!("{:?}", render("{{ x.nothing.more }} {{ x|int }}").await.unwrap_err());
        assert!(!shown.contains("lamp"), "no value stands in a fault: {shown}");
    }

    /// Work that goes on until it is let go.
    fn held() -> (mpsc::Sender<()>, impl FnOnce(&Environment<'static>) -> Result<(), TemplateFault> + Send + 'static) {
        let (let_go, held) = mpsc::channel();
        (let_go, move |_: &Environment<'static>| held.recv_timeout(Duration::from_secs(20)).map_err(|_| away()))
    }

    #[tokio::test]
    async fn a_template_holds_up_nobody_else_and_no_more_are_read_at_once_than_there_is_room_for() {
        let (templates, values, (let_go, work)) = (JinjaTemplates::at_once(1), values(), held());
        let mut first = pin!(templates.read(work));
        assert!(poll!(&mut first).is_pending(), "it is read on the thread of who asked");
        let mut second = pin!(templates.render("{{ x }}", &values, 1000));
        assert!(poll!(&mut second).is_pending(), "there is no room");
        assert_eq!(templates.render("no values", &values, 1000).await.as_deref(), Ok("no values"));
        let_go.send(()).unwrap();
        let (first, second) = tokio::join!(first, second);
        assert_eq!((first, second.as_deref()), (Ok(()), Ok("lamp")));
    }

    #[tokio::test]
    async fn who_goes_away_takes_no_room_from_others() {
        let (templates, values, (let_go, work)) = (JinjaTemplates::at_once(1), values(), held());
        let mut begun = Box::pin(templates.read(work));
        assert!(poll!(&mut begun).is_pending());
        let mut waits = Box::pin(templates.render("{{ x }}", &values, 1000));
        assert!(poll!(&mut waits).is_pending());
        drop((begun, waits));
        let mut later = pin!(templates.render("{{ x }}", &values, 1000));
        assert!(poll!(&mut later).is_pending(), "what nobody waits for is not over yet");
        let_go.send(()).unwrap();
        assert_eq!(later.await.as_deref(), Ok("lamp"));
        // What ends in a panic leaves its room too.
        let odd: Result<(), _> = templates.read(|_| panic!("odd")).await;
        assert!(odd.unwrap_err().message.contains("try it again"));
        assert_eq!(templates.render("{{ x }}", &values, 1000).await.as_deref(), Ok("lamp"));
    }
}
