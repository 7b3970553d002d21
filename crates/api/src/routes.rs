//! The table of routes, made from the document: which operation a request is, and what else its path answers to.

use std::sync::Arc;

use actix_web::http::Method;
use utoipa::openapi::{
    OpenApi, RefOr,
    path::{self as document, ParameterIn},
};

use crate::{
    limit::Limit,
    settings::{LimitRule, LimitScope},
    tally::Tally,
};

/// One operation.
#[derive(Debug)]
pub struct Operation {
    /// Its `operationId`.
    pub id: String,
    /// The template of its path, used as a label.
    pub template: String,
    /// Whether it declares parameters of the query; one that does not refuses them all.
    pub takes_query: bool,
    /// Whether its body is bytes of any length, which come as long as they come.
    pub takes_bytes: bool,
    /// Whether it is answered however much there is to do.
    pub always: bool,
    /// Limits counted before anybody is known.
    pub address_limits: Vec<Arc<Limit>>,
    /// Limits counted when the caller is known.
    pub actor_limits: Vec<Arc<Limit>>,
    /// The same for callers with an API key.
    pub key_limits: Vec<Arc<Limit>>,
    /// What is counted of its answers.
    pub tally: Tally,
}

/// A place in the tree of paths, one level for each segment.
#[derive(Debug, Default)]
struct Place {
    /// In order, so that one is found by halves: they are few, and each request looks.
    fixed: Vec<(String, Place)>,
    /// `{name}`: one segment that is not empty.
    any: Option<Box<Place>>,
    /// `{tail:.*}`: everything that follows.
    tail: Operations,
    here: Operations,
}

/// What one template does, by method.
type Operations = Vec<(Method, Arc<Operation>)>;

/// What a request is.
#[derive(Debug, Clone)]
pub enum Found {
    /// This operation.
    Operation(Arc<Operation>),
    /// A known path with another method; the methods it has, as `Allow` lists them.
    OtherMethod(String),
    /// No path of ours.
    Nothing,
}

/// All routes.
#[derive(Debug, Default)]
pub struct Routes(Place);

impl Routes {
    /// The routes of a document, those given beside it (method, path, operation id), and the limits of each.
    pub fn new(document: &OpenApi, others: &[(Method, &str, &str)], limits: &[LimitRule]) -> Self {
        let mut routes = Self::default();
        let limits: Vec<_> = limits.iter().map(|rule| Arc::new(Limit::of(rule))).collect();
        for (path, item) in &document.paths.paths {
            let methods = [
                (Method::GET, &item.get),
                (Method::POST, &item.post),
                (Method::PUT, &item.put),
                (Method::PATCH, &item.patch),
                (Method::DELETE, &item.delete),
            ];
            for (method, operation) in methods {
                if let Some(operation) = operation {
                    let id = operation.operation_id.as_deref().unwrap_or(path);
                    routes.add(
                        method,
                        path,
                        id,
                        (
                            takes_query(operation),
                            takes_bytes(operation) || [crate::chat::LONG, crate::prompts::LONG].contains(&id),
                        ),
                        &limits,
                    );
                }
            }
        }
        for (method, path, id) in others {
            // The short paths of the API are as strict as the long ones (ruling R18); pages take what they are given.
            routes.add(method.clone(), path, id, (!path.starts_with("/api/"), brings_bytes(id)), &limits);
        }
        routes
    }

    fn add(
        &mut self,
        method: Method,
        path: &str,
        id: &str,
        (takes_query, takes_bytes): (bool, bool),
        limits: &[Arc<Limit>],
    ) {
        let operation = Arc::new(Operation {
            id: id.to_owned(),
            template: path.to_owned(),
            takes_query,
            takes_bytes,
            always: crate::gate::ALWAYS.contains(&id),
            address_limits: Limit::of_operation(limits, id, path, |scope| scope == LimitScope::Address),
            actor_limits: Limit::of_operation(limits, id, path, |scope| {
                matches!(scope, LimitScope::Actor | LimitScope::Everybody)
            }),
            key_limits: Limit::of_operation(limits, id, path, |scope| scope != LimitScope::Address),
            tally: Tally::default(),
        });
        let mut place = &mut self.0;
        for segment in path.split('/') {
            place = match segment {
                tail if tail.starts_with('{') && tail.contains(":.*") => {
                    place.tail.push((method, operation));
                    return;
                }
                any if any.starts_with('{') => place.any.get_or_insert_default(),
                fixed => place.fixed(fixed),
            };
        }
        place.here.push((method, operation));
    }

    /// What a request is. `HEAD` is answered as `GET`.
    pub fn find(&self, method: &Method, path: &str) -> Found {
        let method = if *method == Method::HEAD { &Method::GET } else { method };
        let mut others = Vec::new();
        match self.0.find(method, path.split('/'), &mut others) {
            Some(operation) => Found::Operation(operation),
            None => known_by(&others),
        }
    }

    /// Every operation, for whoever walks them.
    pub fn operations(&self) -> Vec<(&Method, &Operation)> {
        let mut all = Vec::new();
        self.0.gather(&mut all);
        all
    }
}

impl Place {
    /// Where a segment is, or belongs.
    fn seek(&self, segment: &str) -> Result<usize, usize> {
        self.fixed.binary_search_by(|(fixed, _)| fixed.as_str().cmp(segment))
    }

    /// The place that a segment leads to.
    #[expect(clippy::indexing_slicing, reason = "it is there by then")]
    fn fixed(&mut self, segment: &str) -> &mut Self {
        let at = self.seek(segment).unwrap_or_else(|at| {
            self.fixed.insert(at, (segment.to_owned(), Self::default()));
            at
        });
        &mut self.fixed[at].1
    }

    /// What the rest of a path leads to from here. A fixed segment that leads anywhere is what was meant, whatever the
    /// method. The methods of what fits are left in `others`.
    fn find<'a>(
        &self,
        method: &Method,
        mut rest: impl Iterator<Item = &'a str> + Clone,
        others: &mut Vec<Method>,
    ) -> Option<Arc<Operation>> {
        let Some(segment) = rest.next() else { return chosen(&self.here, method, others) };
        if let Ok(at) = self.seek(segment)
            && let Some((_, fixed)) = self.fixed.get(at)
        {
            let found = fixed.find(method, rest.clone(), others);
            if found.is_some() || !others.is_empty() {
                return found;
            }
        }
        if let Some(any) = self.any.as_ref().filter(|_| !segment.is_empty()) {
            let found = any.find(method, rest, others);
            if found.is_some() {
                return found;
            }
        }
        chosen(&self.tail, method, others)
    }

    fn gather<'a>(&'a self, all: &mut Vec<(&'a Method, &'a Operation)>) {
        all.extend(self.here.iter().chain(&self.tail).map(|(method, operation)| (method, operation.as_ref())));
        self.fixed.iter().map(|(_, place)| place).chain(self.any.as_deref()).for_each(|place| place.gather(all));
    }
}

/// The operation of this method; the methods there are instead are left in `others`.
fn chosen(has: &Operations, method: &Method, others: &mut Vec<Method>) -> Option<Arc<Operation>> {
    let found = has.iter().find(|(has, _)| has == method).map(|(_, operation)| Arc::clone(operation));
    if found.is_none() {
        others.extend(has.iter().map(|(has, _)| has.clone()));
    }
    found
}

/// What a path is that answers to these methods only.
fn known_by(methods: &[Method]) -> Found {
    if methods.is_empty() {
        return Found::Nothing;
    }
    let mut allow: Vec<&str> = methods.iter().map(Method::as_str).collect();
    if allow.contains(&"GET") {
        allow.push("HEAD");
    }
    allow.sort_unstable();
    allow.dedup();
    Found::OtherMethod(allow.join(", "))
}

/// The operations of other protocols whose body is bytes of any length, or whose answer takes as long as others do.
fn brings_bytes(id: &str) -> bool {
    id == crate::lfs::UPLOAD || crate::uploads::BYTES.contains(&id) || crate::openai::LONG.contains(&id)
}

fn takes_bytes(operation: &document::Operation) -> bool {
    let Some(RefOr::T(body)) = &operation.request_body else { return false };
    !body.content.is_empty() && !body.content.keys().any(|kind| kind.ends_with("json"))
}

fn takes_query(operation: &document::Operation) -> bool {
    let mut parameters = operation.parameters.iter().flatten();
    parameters.any(|one| matches!(one, RefOr::T(one) if one.parameter_in == ParameterIn::Query))
}
