//! The pages on which a person signs in: by choosing who they are, since nobody has a password here.

use askama::Template;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use http::StatusCode;
use url::Url;
use uuid::Uuid;

use super::error::TokenError;
use super::form::Form;
use super::resource::Wanted;
use super::sign_in::{self, Challenge, SignIn};
use super::{client, device_code, endpoint};
use crate::Shared;
use crate::tenant::{View, World};

/// How many people a page lists; the others are found by their name.
const LISTED: usize = 100;

struct Person {
    id: Uuid,
    name: String,
    upn: String,
    disabled: bool,
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    application: String,
    tenant: String,
    people: Vec<Person>,
    more: bool,
    search: String,
    /// What the forms send along: the request that led here.
    request: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "device_code.html")]
struct DeviceCodePage {
    message: Option<String>,
}

#[derive(Template)]
#[template(path = "sign_in_error.html")]
struct ErrorPage {
    number: u32,
    text: String,
}

/// A request for a sign-in that may be granted.
struct Request {
    tenant: Uuid,
    client: Uuid,
    application: String,
    back: Back,
    nonce: Option<String>,
    scope: String,
    challenge: Option<Challenge>,
}

/// Where a person is sent back to, and how.
#[derive(Clone)]
struct Back {
    redirect_uri: String,
    uri: Url,
    mode: ResponseMode,
    state: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ResponseMode {
    Query,
    Fragment,
    FormPost,
}

/// What is wrong with a request for a sign-in, and whether the application may be told.
enum Refusal {
    Page(TokenError),
    Application(Box<Back>, TokenError),
}

/// `GET /{tenant}/oauth2/v2.0/authorize`
pub(super) async fn page(
    State(shared): State<Shared>,
    Path(tenant): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let world = &shared.world;
    let query = query.unwrap_or_default();
    let form = Form::read(query.as_bytes());
    let request = match read(world, &tenant, &form) {
        Ok(request) => request,
        Err(refusal) => return refuse(world, refusal),
    };
    if let Some(upn) = form.find("login_hint")
        && form.find("prompt") == Some("none")
    {
        // Single sign-on: the browser would have a session already.
        return sign_in_as(world, &request, upn);
    }
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .filter(|(name, _)| name != "search")
        .collect();
    choice(world, request.tenant, request.application, form.find("search"), pairs)
}

/// `POST /{tenant}/oauth2/v2.0/authorize`: somebody has chosen who they are.
pub(super) async fn chosen(
    State(shared): State<Shared>,
    Path(tenant): Path<String>,
    body: Bytes,
) -> Response {
    let world = &shared.world;
    let form = Form::read(&body);
    match read(world, &tenant, &form) {
        Ok(request) => match form.find("person") {
            Some(person) => sign_in_as(world, &request, person),
            None => {
                refuse(world, Refusal::Application(Box::new(request.back), TokenError::Declined))
            }
        },
        Err(refusal) => refuse(world, refusal),
    }
}

/// `GET /{tenant}/oauth2/v2.0/logout`
pub(super) async fn logout(RawQuery(query): RawQuery) -> Response {
    let form = Form::read(query.unwrap_or_default().as_bytes());
    match form.find("post_logout_redirect_uri").and_then(|uri| Url::parse(uri).ok()) {
        Some(uri) => Redirect::to(uri.as_str()).into_response(),
        None => Html("<!DOCTYPE html><title>Signed out</title><p>You are signed out.</p>")
            .into_response(),
    }
}

/// `GET /device`: where a code from another device is typed in.
pub(super) async fn device_page(
    State(shared): State<Shared>,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    let form = Form::read(query.as_bytes());
    let Some(code) = form.find("code") else { return html(&DeviceCodePage { message: None }) };
    match device_code::waiting(&shared.world, code) {
        Some((tenant, waiting)) => {
            let request = vec![("code".to_owned(), waiting.user_code)];
            choice(&shared.world, tenant, waiting.client_name, form.find("search"), request)
        }
        None => html(&DeviceCodePage {
            message: Some(format!("Nobody waits for the code {code}, or not any more.")),
        }),
    }
}

/// `POST /device`: somebody has chosen who they are.
pub(super) async fn device_chosen(State(shared): State<Shared>, body: Bytes) -> Response {
    let world = &shared.world;
    let form = Form::read(&body);
    let done = form.need("code").and_then(|code| {
        let (tenant, waiting) = device_code::waiting(world, code).ok_or(TokenError::DeviceCode)?;
        let user = match form.find("person") {
            Some(person) => Some(find_person(world, tenant, person)?),
            None => None,
        };
        device_code::decide(world, tenant, &waiting.user_code, user)?;
        Ok(user)
    });
    let message = match done {
        Ok(Some(_)) => "You have signed in on the other device. You can close this page.",
        Ok(None) => "You have declined the sign-in on the other device.",
        Err(error) => return refuse(world, Refusal::Page(error)),
    };
    html(&DeviceCodePage { message: Some(message.to_owned()) })
}

fn read(world: &World, tenant: &str, form: &Form) -> Result<Request, Refusal> {
    let tenant = endpoint::tenant_of(world, tenant).map_err(Refusal::Page)?;
    let found = world
        .read(tenant, |tenant| {
            let app = client::find(tenant, form.need("client_id")?)?;
            let redirect_uri = form.need("redirect_uri")?;
            endpoint::check_redirect(app, redirect_uri)?;
            Ok((app.app_id, app.display_name.clone(), redirect_uri.to_owned()))
        })
        .map_err(|error| Refusal::Page(error.into()))?;
    let (client, application, redirect_uri) = found.map_err(Refusal::Page)?;
    let uri = Url::parse(&redirect_uri)
        .map_err(|_| Refusal::Page(TokenError::RedirectUri(redirect_uri.clone())))?;
    let mode = match form.find("response_mode") {
        None | Some("query") => ResponseMode::Query,
        Some("fragment") => ResponseMode::Fragment,
        Some("form_post") => ResponseMode::FormPost,
        Some(other) => return Err(Refusal::Page(TokenError::ResponseType(other.to_owned()))),
    };
    let state = form.find("state").map(str::to_owned);
    let back = Back { redirect_uri, uri, mode, state };
    let checked = form.need("response_type").and_then(|kind| match kind {
        "code" => Ok(()),
        other => Err(TokenError::ResponseType(other.to_owned())),
    });
    let read = checked.and_then(|()| {
        let scope = form.need("scope")?.to_owned();
        Wanted::of_scope(&scope)?;
        let challenge = match (form.find("code_challenge"), form.find("code_challenge_method")) {
            (None, _) => None,
            (Some(challenge), Some("S256")) => Some(Challenge::S256(challenge.to_owned())),
            (Some(challenge), None | Some("plain")) => Some(Challenge::Plain(challenge.to_owned())),
            (Some(_), Some(_)) => return Err(TokenError::Parameter("code_challenge_method")),
        };
        Ok((scope, challenge))
    });
    let (scope, challenge) = match read {
        Ok(read) => read,
        Err(error) => return Err(Refusal::Application(Box::new(back), error)),
    };
    let nonce = form.find("nonce").map(str::to_owned);
    Ok(Request { tenant, client, application, back, nonce, scope, challenge })
}

fn sign_in_as(world: &World, request: &Request, person: &str) -> Response {
    let code = find_person(world, request.tenant, person).and_then(|user| {
        let sign_in = SignIn {
            client: request.client,
            user,
            scope: request.scope.clone(),
            nonce: request.nonce.clone(),
            refresh_token: sign_in::refresh_token(world),
        };
        let redirect = request.back.redirect_uri.clone();
        let challenge = request.challenge.clone();
        sign_in::remember(world, request.tenant, sign_in, redirect, challenge)
    });
    let code = match code {
        Ok(code) => code,
        Err(error) => return refuse(world, Refusal::Page(error)),
    };
    let mut answer = vec![("code".to_owned(), code)];
    answer.push(("session_state".to_owned(), world.fresh_guid().to_string()));
    send_back(&request.back, answer)
}

/// The person with this id or user principal name, who may sign in.
fn find_person(world: &World, tenant: Uuid, person: &str) -> Result<Uuid, TokenError> {
    let user = world.read(tenant, |tenant| match person.parse() {
        Ok(id) => tenant.users.find(id),
        Err(_) => tenant.users.find_by(&person.to_lowercase()),
    })?;
    let user = user.ok_or(TokenError::NoUser)?;
    if user.account_enabled { Ok(user.id) } else { Err(TokenError::UserDisabled) }
}

fn choice(
    world: &World,
    tenant: Uuid,
    application: String,
    search: Option<&str>,
    request: Vec<(String, String)>,
) -> Response {
    let search = search.unwrap_or_default().to_owned();
    let wanted = search.to_lowercase();
    let page = world.read(tenant, |tenant| {
        let exact = tenant.users.find_by(&wanted);
        let page = tenant.users.page_until(View::Current, 0, 50_000, LISTED, |user| {
            wanted.is_empty()
                || user.display_name.to_lowercase().contains(&wanted)
                || user.user_principal_name.to_lowercase().contains(&wanted)
        });
        let users =
            if page.records.is_empty() { exact.into_iter().collect() } else { page.records };
        let people = users
            .iter()
            .map(|user| Person {
                id: user.id,
                name: user.display_name.clone(),
                upn: user.user_principal_name.clone(),
                disabled: !user.account_enabled,
            })
            .collect();
        let (tenant, more) = (tenant.name.clone(), page.next.is_some());
        SignInPage { application, tenant, people, more, search, request }
    });
    match page {
        Ok(page) => html(&page),
        Err(error) => refuse(world, Refusal::Page(error.into())),
    }
}

fn refuse(world: &World, refusal: Refusal) -> Response {
    match refusal {
        Refusal::Page(error) => {
            let (_, number) = error.codes();
            let page = html(&ErrorPage { number, text: error.to_string() });
            (StatusCode::BAD_REQUEST, page).into_response()
        }
        Refusal::Application(back, error) => {
            let reason = match &error {
                TokenError::Declined => "access_denied",
                other => other.codes().0,
            };
            let text = format!("AADSTS{}: {error} Timestamp: {}", error.codes().1, world.now());
            let answer = [("error", reason.to_owned()), ("error_description", text)];
            send_back(&back, answer.map(|(name, value)| (name.to_owned(), value)).to_vec())
        }
    }
}

fn send_back(back: &Back, mut answer: Vec<(String, String)>) -> Response {
    answer.extend(back.state.clone().map(|state| ("state".to_owned(), state)));
    let mut uri = back.uri.clone();
    match back.mode {
        ResponseMode::Query => {
            uri.query_pairs_mut().extend_pairs(answer);
            Redirect::to(uri.as_str()).into_response()
        }
        ResponseMode::Fragment => {
            let mut fragment = url::form_urlencoded::Serializer::new(String::new());
            uri.set_fragment(Some(&fragment.extend_pairs(answer).finish()));
            Redirect::to(uri.as_str()).into_response()
        }
        ResponseMode::FormPost => html(&FormPostPage { action: uri.to_string(), answer }),
    }
}

#[derive(Template)]
#[template(path = "form_post.html")]
struct FormPostPage {
    action: String,
    answer: Vec<(String, String)>,
}

fn html(page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => Html(text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
