//! What carrying an exchange costs, over a router that does nothing: the world's own share, in process and on sockets.
//! And how many requests a simulated system answers on a socket.
//!
//! Run with `cargo bench -p cosell-sim`.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use axum::Router;
use axum::routing::get;
use bytes::Bytes;
use cosell_sim::clock::Clock;
use cosell_sim::ground::Ground;
use cosell_sim::identity::PARTNER_CENTER_AUDIENCE;
use cosell_sim::partner_center::{Customer, MicrosoftAct, SharedDeal};
use cosell_sim::site::Site;
use cosell_sim::systems::{Routers, Systems};
use cosell_sim::transport::in_process;
use cosell_sim::transport::socket::{ServeSettings, serve};
use cosell_sim::world::{World, WorldSettings};
use divan::Bencher;
use divan::counter::ItemsCount;

const URL: &str = "https://api.partner.microsoft.com/v1.0/engagements/referrals/a0b1";
const BODY: &[u8] = &[b'x'; 700];

fn main() {
    divan::main();
}

fn bare() -> Router {
    let answer = async || ([("content-type", "application/json")], Bytes::from_static(BODY));
    Router::new().route("/v1.0/engagements/referrals/{id}", get(answer))
}

fn systems(settings: &WorldSettings) -> (Ground, Systems) {
    let ground = Ground::new(Clock::manual(settings.start), settings.seed);
    let mut routers = Routers::default();
    routers.set(Site::PartnerCenter, bare());
    (ground, Systems::of_routers(routers))
}

fn request() -> http::Request<Bytes> {
    http::Request::get(URL)
        .header("authorization", "Bearer 0123456789abcdef0123456789abcdef")
        .header("accept", "application/json")
        .header("prefer", "return=representation")
        .body(Bytes::new())
        .expect("the request is well formed")
}

fn exchange(world: &mut World) {
    world.send(1, request());
    while world.step() {}
    while world.poll_observation().is_some() {}
    assert!(divan::black_box(world.take_reply(1)).is_some_and(|reply| reply.status().is_success()));
}

#[divan::bench]
fn router_alone(bencher: Bencher<'_, '_>) {
    let mut router = bare();
    bencher.bench_local(|| in_process::call(&mut router, request()));
}

#[divan::bench]
fn world_in_process(bencher: Bencher<'_, '_>) {
    let settings = WorldSettings::default();
    let (ground, systems) = systems(&settings);
    let mut world = World::over(settings, ground, systems);
    bencher.bench_local(|| exchange(&mut world));
}

#[divan::bench]
fn world_on_sockets(bencher: Bencher<'_, '_>) {
    let settings = WorldSettings::default();
    let (ground, systems) = systems(&settings);
    let mut world = World::on_sockets_over(settings, ground, systems).expect("loopback ports are free");
    bencher.bench_local(|| exchange(&mut world));
}

/// The same, with a referral of the simulated Partner Center.
#[divan::bench]
fn world_get_referral(bencher: Bencher<'_, '_>) {
    let mut world = World::new(WorldSettings::default());
    let id = world.microsoft(shared_deal()).expect("a deal can be shared");
    let authority = &world.ground().authority;
    let lifetime = jiff::SignedDuration::from_hours(100_000);
    let token = authority.issue("connector", PARTNER_CENTER_AUDIENCE, lifetime, false, "");
    let token = token.expect("the user is known");
    let request = http::Request::get(format!(
        "https://api.partner.microsoft.com/v1.0/engagements/referrals/{id}"
    ))
    .header("authorization", format!("Bearer {token}"))
    .body(Bytes::new())
    .expect("the request is well formed");
    // Latency brings a long benchmark to the day on which the referral expires; that costs one step.
    bencher.bench_local(|| {
        world.send(1, request.clone());
        while world.take_reply(1).is_none() {
            world.step();
        }
        while world.poll_observation().is_some() {}
    });
}

#[divan::bench]
fn new_world(bencher: Bencher<'_, '_>) {
    bencher.bench_local(|| World::new(WorldSettings::default()));
}

const CONNECTIONS: usize = 16;

/// Reads of one referral over 16 open connections, each with one request in flight.
#[divan::bench]
fn get_referral_on_sockets(bencher: Bencher<'_, '_>) {
    let served = serve(&ServeSettings::default()).expect("loopback ports are free");
    let id = served.microsoft(shared_deal()).expect("a deal can be shared");
    let path = format!("/v1.0/engagements/referrals/{id}");
    let token = served
        .token("connector", Site::PartnerCenter, &path)
        .expect("the user is known");
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\r\n");
    let base = served.bases().of(Site::PartnerCenter);
    let address = base.trim_start_matches("http://");
    let mut sockets: Vec<TcpStream> = (0..CONNECTIONS)
        .map(|_| TcpStream::connect(address).expect("the server listens"))
        .collect();
    let mut part = [0; 16 * 1024];
    bencher.counter(ItemsCount::new(CONNECTIONS)).bench_local(|| {
        for socket in &mut sockets {
            socket.write_all(request.as_bytes()).expect("the server reads");
        }
        for socket in &mut sockets {
            // One response is shorter than the buffer and comes in one piece.
            let length = socket.read(&mut part).expect("the server answers");
            assert!(part[..length].starts_with(b"HTTP/1.1 200"));
        }
    });
}

fn shared_deal() -> MicrosoftAct {
    MicrosoftAct::Share(SharedDeal {
        name: "Fabrikam migration".to_owned(),
        customer: Customer {
            name: "Fabrikam".to_owned(),
            ..Customer::default()
        },
        value: Some(50_000.0),
        currency: "USD".to_owned(),
        closing: cosell_sim::clock::default_start(),
        notes: None,
        solutions: vec![("SOL-1".to_owned(), "Solution".to_owned())],
        help: None,
    })
}
