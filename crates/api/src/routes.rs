//! The table of routes, made from the document: which operation a request is, and what else its path answers to.

use std::sync::Arc;

use actix_web::http::Method;
use utoipa::openapi::{
    OpenApi, RefOr,
    path::{self as document, ParameterIn},
};

use crate::{limit::Limit, settings::LimitRule};

/// One operation.
#[derive(Debug)]
pub struct Operation {
    /// Its `operationId`.
    pub id: String,
    /// The template of its path, used as a label.
    pub template: String,
    /// Whether it declares parameters of the query; one that does not refuses them all.
    pub takes_query: bool,
    /// Limits counted before anybody is known.
    pub address_limits: Vec<Arc<Limit>>,
    /// Limits counted when the caller is known.
    pub actor_limits: Vec<Arc<Limit>>,
}

/// A path with its operations.
#[derive(Debug)]
struct Template {
    segments: Vec<Segment>,
    operations: Vec<(Method, Arc<Operation>)>,
}

#[derive(Debug, PartialEq, Eq)]
enum Segment {
    Fixed(String),
    Any,
    /// `{tail:.*}`: everything that follows.
    Tail,
}

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
pub struct Routes(Vec<Template>);

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
                    routes.add(method, path, id, takes_query(operation), &limits);
                }
            }
        }
        for (method, path, id) in others {
            // The short paths of the API are as strict as the long ones (ruling R18); pages take what they are given.
            routes.add(method.clone(), path, id, !path.starts_with("/api/"), &limits);
        }
        // Fixed segments win over variable ones, as in the router.
        routes.0.sort_by_key(|template| template.segments.iter().filter(|s| !matches!(s, Segment::Fixed(_))).count());
        routes
    }

    fn add(&mut self, method: Method, path: &str, id: &str, takes_query: bool, limits: &[Arc<Limit>]) {
        let segments: Vec<Segment> = path
            .split('/')
            .map(|segment| match segment {
                tail if tail.starts_with('{') && tail.contains(":.*") => Segment::Tail,
                any if any.starts_with('{') => Segment::Any,
                fixed => Segment::Fixed(fixed.to_owned()),
            })
            .collect();
        let operation = Arc::new(Operation {
            id: id.to_owned(),
            template: path.to_owned(),
            takes_query,
            address_limits: Limit::of_operation(limits, id, path, true),
            actor_limits: Limit::of_operation(limits, id, path, false),
        });
        match self.0.iter_mut().find(|template| template.segments == segments) {
            Some(template) => template.operations.push((method, operation)),
            None => self.0.push(Template { segments, operations: vec![(method, operation)] }),
        }
    }

    /// What a request is. `HEAD` is answered as `GET`.
    pub fn find(&self, method: &Method, path: &str) -> Found {
        let method = if *method == Method::HEAD { &Method::GET } else { method };
        let mut allow: Vec<&str> = Vec::new();
        for template in self.0.iter().filter(|template| template.fits(path)) {
            for (has, operation) in &template.operations {
                if has == method {
                    return Found::Operation(operation.clone());
                }
                if !allow.contains(&has.as_str()) {
                    allow.push(has.as_str());
                }
            }
            // A path without parameters wins over one with, whatever the method.
            if template.is_fixed() {
                break;
            }
        }
        if allow.is_empty() {
            return Found::Nothing;
        }
        if allow.contains(&"GET") {
            allow.push("HEAD");
        }
        allow.sort_unstable();
        Found::OtherMethod(allow.join(", "))
    }

    /// Every operation, for tests that walk them.
    pub fn operations(&self) -> impl Iterator<Item = (&Method, &Operation)> {
        self.0.iter().flat_map(|template| template.operations.iter().map(|(method, op)| (method, op.as_ref())))
    }
}

fn takes_query(operation: &document::Operation) -> bool {
    let mut parameters = operation.parameters.iter().flatten();
    parameters.any(|one| matches!(one, RefOr::T(one) if one.parameter_in == ParameterIn::Query))
}

impl Template {
    fn is_fixed(&self) -> bool {
        self.segments.iter().all(|segment| matches!(segment, Segment::Fixed(_)))
    }

    fn fits(&self, path: &str) -> bool {
        let mut given = path.split('/');
        for segment in &self.segments {
            match (segment, given.next()) {
                (Segment::Tail, Some(_)) => return true,
                (Segment::Fixed(fixed), Some(part)) if fixed == part => {}
                (Segment::Any, Some(part)) if !part.is_empty() => {}
                _ => return false,
            }
        }
        given.next().is_none()
    }
}
