//! People at their screens: straight to the served systems, beside the ports, so that no fault touches them.

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use jiff::SignedDuration;

use super::Served;
use crate::systems::audience;
use crate::transport::in_process;

/// How long a person is signed in.
const SIGNED_IN: SignedDuration = SignedDuration::from_hours(1);

impl Served {
    /// A person does something at a screen. The request names a system by its base URL; a token of that person is added
    /// when it has none. A URL of no served system is answered with 502.
    pub fn ask(&self, who: &str, mut request: http::Request<Bytes>) -> http::Response<Bytes> {
        let uri = request.uri().clone();
        let site = self.ground.bases.site_of(&uri);
        let audience = site.and_then(|site| audience(site, &uri, &self.ground.bases));
        let token = audience.and_then(|audience| self.ground.authority.issue_at_screen(who, &audience, SIGNED_IN));
        if let Some(value) = token.and_then(|token| HeaderValue::try_from(format!("Bearer {token}")).ok()) {
            request.headers_mut().entry(header::AUTHORIZATION).or_insert(value);
        }
        let systems = self.desk.systems();
        let mut routers = systems.routers().clone();
        let Some(router) = site.and_then(|site| routers.of_mut(site)) else {
            let mut response = http::Response::new(Bytes::from_static(b"no system lives at this URL"));
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            return response;
        };
        let response = in_process::call(router, request);
        self.desk.postman().collect();
        response
    }
}
