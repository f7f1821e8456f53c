//! People at a screen, and Microsoft's own side: they reach their system without a network in between.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use jiff::{SignedDuration, Timestamp};

use super::observation::Observed;
use super::{WireRequest, World, shown};
use crate::partner_center::{ActError, MicrosoftAct};
use crate::systems::audience;
use crate::transport::in_process;

/// How long a person stays signed in.
const SIGNED_IN: SignedDuration = SignedDuration::from_hours(12);

/// The `Authorization` header of each user for each audience, and until when it is good.
#[derive(Debug, Default)]
pub(super) struct Tokens(BTreeMap<(String, String), (HeaderValue, Timestamp)>);

impl World {
    /// A person does something at a screen: straight to the router, no faults, no latency, with a token of theirs.
    ///
    /// A URL at which no system of this world lives is answered with 502.
    pub fn ask(&mut self, who: &str, mut request: http::Request<Bytes>) -> http::Response<Bytes> {
        let uri = request.uri().clone();
        let site = self.ground.bases.site_of(&uri);
        let audience = site.and_then(|site| audience(site, &uri, &self.ground.bases));
        if let Some(value) = audience.and_then(|audience| self.authorization(who, audience)) {
            request.headers_mut().entry(header::AUTHORIZATION).or_insert(value);
        }
        let traced = Arc::new(WireRequest::of(&request));
        let mut routers = self.systems.routers().clone();
        let Some((site, way)) = site.and_then(|site| routers.way(site).map(|way| (site, way))) else {
            let mut response = http::Response::new(Bytes::from_static(b"no system lives at this URL"));
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            return response;
        };
        let response = in_process::ask(way, request);
        self.collect(None);
        let shown = shown(&response, uri.path());
        let who = who.to_owned();
        self.observe(Observed::Asked {
            who,
            site,
            request: traced,
            response: shown,
        });
        response
    }

    /// Microsoft does something in Partner Center; gives back the id of the partner's referral.
    pub fn microsoft(&mut self, act: MicrosoftAct) -> Result<String, ActError> {
        let done = self.systems.microsoft(act);
        self.collect(None);
        done
    }

    fn authorization(&mut self, who: &str, audience: String) -> Option<HeaderValue> {
        let now = self.now();
        let key = (who.to_owned(), audience);
        if let Some((value, until)) = self.tokens.0.get(&key)
            && now < *until
        {
            return Some(value.clone());
        }
        let token = self.ground.authority.issue_at_screen(who, &key.1, SIGNED_IN)?;
        let value = HeaderValue::try_from(format!("Bearer {token}")).ok()?;
        let until = now.checked_add(SIGNED_IN).unwrap_or(Timestamp::MAX);
        self.tokens.0.insert(key, (value.clone(), until));
        Some(value)
    }
}
