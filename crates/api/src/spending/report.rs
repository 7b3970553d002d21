//! What was spent, by groups.

use actix_web::{HttpRequest, HttpResponse, get, http::header};
use domain::{
    Error,
    assistant::spending::{GroupKey, Spending, SpendingBy, SpendingFilter},
    clock::Timestamp,
    permission::UseAssistant,
};
use utoipa::IntoParams;

use super::{
    csv, cursor,
    filter::{FormName, GroupName, Which},
    view::{SpendingView, UsageView},
};
use crate::{
    Answer, Services, Shared,
    auth::Auth,
    problem::{In, Problem},
    query::{Params, Query, Read},
};

/// Rows that are read at once for a table, and the most rows of one.
const PORTION: u32 = 1_000;
const MOST: usize = 50_000;

/// Which calls, and in which form.
#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct UsageParams {
    /// By what to tell calls apart, once for each; by day when absent.
    #[param(value_type = Option<Vec<GroupName>>, inline = false)]
    group_by: Vec<SpendingBy>,
    /// In which form: JSON unless `Accept` asks for `text/csv` alone.
    #[param(value_type = Option<FormName>, inline = false)]
    format: Option<bool>,
    /// Where the page begins: `nextCursor` of the page before; nothing is the first.
    #[param(pattern = r"^[^\x00]*$")]
    cursor: Option<String>,
    /// Items per page.
    #[param(required = false, minimum = 1, maximum = 100, default = 20)]
    limit: u32,
    #[param(ignore)]
    which: Which,
}

impl Read for UsageParams {
    fn read(query: &mut Query) -> Option<Self> {
        let names = "must be day, user, key, seller, model or deployment";
        let mut group_by: Vec<SpendingBy> =
            query.many("groupBy", "enum", names, SpendingBy::named).unwrap_or_else(|| vec![SpendingBy::Day]);
        group_by.sort_unstable();
        group_by.dedup();
        let format = query.parsed("format", "enum", "must be json or csv", |text| match text {
            "json" => Some(false),
            "csv" => Some(true),
            _ => None,
        });
        let cursor = query.one("cursor").filter(|cursor| !cursor.is_empty());
        let limit = query.limit().get();
        Some(Self { group_by, format, cursor, limit, which: Which::read(query) })
    }
}

/// Where a page begins, and what it is about.
type Place = (i64, i64, GroupKey);

/// Tells what was spent on models, by groups: one's own calls, or everybody's for administrators. Numbers of calls by how they ended,
/// tokens by kind, and the cost as an exact decimal number.
#[utoipa::path(
    tag = "assistant",
    params(UsageParams, Which),
    responses(
        (status = 200, description = "What was spent", content((UsageView = "application/json"), (String = "text/csv"))),
    ),
    security(("bearer" = ["assistant:use"]))
)]
#[get("/api/v1/assistant/usage")]
pub async fn get_assistant_usage(
    auth: Auth<UseAssistant>,
    services: Shared,
    request: HttpRequest,
    params: Params<UsageParams>,
) -> Answer {
    let Params(UsageParams { group_by: by, format, cursor, limit, which }) = params;
    let (user, now, mac) = (auth.0.principal().user, services.shop.now(), services.mac.as_ref());
    let list = which.list(user, &by);
    let place: Option<Place> = match &cursor {
        None => None,
        Some(text) => Some(cursor::open(mac, &list, text).ok_or_else(stale)?),
    };
    let moments = place.as_ref().and_then(|(from, until, _)| {
        Timestamp::from_timestamp_micros(*from).zip(Timestamp::from_timestamp_micros(*until))
    });
    let filter = which.filter(&auth.0, now, moments)?;
    if format.unwrap_or_else(|| wants_csv(&request)) {
        return table(&services, &filter, &by).await;
    }
    let after = place.as_ref().map(|(_, _, after)| after);
    let mut found = services.assistant.spending.spending(&filter, &by, after, limit + 1).await?;
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let is_more = found.len() > wanted;
    found.truncate(wanted);
    let next_cursor = found.last().filter(|_| is_more).map(|last| {
        let place: Place = (filter.from.timestamp_micros(), filter.until.timestamp_micros(), last.group.clone());
        cursor::seal(mac, &list, &place)
    });
    Ok(HttpResponse::Ok().json(UsageView {
        items: found.iter().map(|one| SpendingView::of(one, &by)).collect(),
        next_cursor,
        from: filter.from,
        to: filter.until,
        currency: services.assistant.currency.code(),
    }))
}

pub(super) fn stale() -> Problem {
    Problem::broken(In::Query, "cursor", "cursor", "must be the nextCursor of a page of this very list")
}

fn wants_csv(request: &HttpRequest) -> bool {
    let accepts = request.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    accepts.split(',').next().is_some_and(|first| first.split(';').next().unwrap_or_default().trim() == "text/csv")
}

/// All of it as a table.
async fn table(services: &Services, filter: &SpendingFilter, by: &[SpendingBy]) -> Answer {
    let mut rows: Vec<Spending> = Vec::new();
    loop {
        let after = rows.last().map(|last| &last.group);
        let page = services.assistant.spending.spending(filter, by, after, PORTION).await?;
        let is_last = page.len() < usize::try_from(PORTION).unwrap_or(usize::MAX);
        rows.extend(page);
        if is_last || by.is_empty() {
            break;
        }
        if rows.len() > MOST {
            return Err(Error::Unprocessable(format!(
                "This has more than {MOST} rows; ask for less time or fewer groups"
            ))
            .into());
        }
    }
    let heads = [
        "calls",
        "reserved",
        "settled",
        "estimated",
        "overrun",
        "failed",
        "cached",
        "unpriced",
        "prompt_tokens",
        "completion_tokens",
        "cached_tokens",
        "reasoning_tokens",
        "saved_tokens",
        "cost",
        "currency",
    ];
    let mut text = csv::row(by.iter().map(|by| by.name()).chain(heads));
    for one in &rows {
        let usage = one.usage;
        let numbers = [
            one.calls,
            one.open,
            one.settled,
            one.estimated,
            one.overrun,
            one.failed,
            one.cached,
            one.unpriced,
            usage.prompt,
            usage.completion,
            usage.cached,
            usage.reasoning,
            one.saved,
        ];
        let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
        let cost = domain::assistant::write_amount(one.cost, 9);
        let rest = [cost.as_str(), services.assistant.currency.code()];
        text += &csv::row(one.group.iter().map(String::as_str).chain(numbers.iter().map(String::as_str)).chain(rest));
    }
    let mut answer = HttpResponse::Ok();
    answer.content_type("text/csv; charset=utf-8");
    answer.insert_header((header::CONTENT_DISPOSITION, "attachment; filename=\"assistant-usage.csv\""));
    Ok(answer.body(text))
}
