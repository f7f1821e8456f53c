//! Answers that may come later: long polling waits here and nowhere else.
//!
//! It knows no protocol: an answer says what to wait for, how long, and how to ask again.

use axum::response::Response;

use super::postman::rest;
use crate::reply::Patience;

/// Waits until the answer has something to tell, or its time is over.
pub(super) async fn outlast(mut response: Response) -> Response {
    let Some(mut patience) = response.extensions_mut().remove::<Patience>() else {
        return response;
    };
    let over = rest(patience.limit);
    tokio::pin!(over);
    loop {
        tokio::select! {
            changed = patience.changed.changed() => {
                response = (patience.again)();
                // Nobody is left who could change anything: what was answered stands.
                if changed.is_err() {
                    return response;
                }
            }
            () = &mut over => return (patience.again)(),
        }
        match response.extensions_mut().remove::<Patience>() {
            Some(more) => patience = more,
            None => return response,
        }
    }
}
