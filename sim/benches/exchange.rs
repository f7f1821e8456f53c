//! What carrying an exchange costs, over a router that does nothing: the world's own share, in process and on sockets.
//!
//! Run with `cargo bench -p cosell-sim`.

use axum::Router;
use axum::routing::get;
use bytes::Bytes;
use cosell_sim::clock::Clock;
use cosell_sim::ground::Ground;
use cosell_sim::site::Site;
use cosell_sim::systems::{Routers, Systems};
use cosell_sim::transport::in_process;
use cosell_sim::world::{World, WorldSettings};
use divan::Bencher;

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
    divan::black_box(world.take_reply(1));
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

#[divan::bench]
fn new_world(bencher: Bencher<'_, '_>) {
    bencher.bench_local(|| World::new(WorldSettings::default()));
}
