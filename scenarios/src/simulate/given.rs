//! What is there before the connector starts: deals in bulk, broken connections, other roles.
//!
//! Names and customers are drawn from the seed by `fake`, so the same seed gives the same deals.

use fake::Fake as _;
use fake::faker::company::en::{Buzzword, CompanyName};
use fake::faker::name::en::{FirstName, LastName};
use jiff::civil::date;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;

use super::people::Scene;
use super::{Run, RunError};
use crate::plan::Plan;
use crate::scenario::act::{Act, Contact, Customer, Money, NewDeal, Stage};
use crate::scenario::settings::{Makers, given_name};

impl Run<'_> {
    pub(super) fn given(&mut self) -> Result<(), RunError> {
        let given = &self.plan.world.given;
        for (user, roles) in &given.roles {
            self.give_roles(user, roles);
        }
        for (system, how) in &given.broken {
            self.break_connection(*system, *how);
        }
        make_deals(self, self.plan)
    }
}

/// Lets people make the deals that are there before the start.
pub(crate) fn make_deals(scene: &mut impl Scene, plan: &Plan) -> Result<(), RunError> {
    let given = &plan.world.given;
    let mut chance = ChaCha8Rng::seed_from_u64(plan.seed);
    for number in 1..=given.deals {
        let name = given_name(number);
        let deal = deal(&mut chance, number);
        let by_microsoft = match given.made_by {
            Makers::Microsoft => true,
            Makers::Seller => false,
            Makers::Both => number % 2 == 1,
        };
        let act = if by_microsoft {
            Act::MicrosoftShares(deal)
        } else {
            Act::SellerCreates(deal)
        };
        scene
            .person_acts(&name, &act)
            .map_err(|refused| RunError::Given(format!("{name}: {}", refused.body)))?;
    }
    Ok(())
}

/// Half of all have no request for help, some share a customer.
fn deal(chance: &mut ChaCha8Rng, number: u32) -> NewDeal {
    let company: String = CompanyName().fake_with_rng(chance);
    let what: String = Buzzword().fake_with_rng(chance);
    let (first_name, last_name): (String, String) =
        (FirstName().fake_with_rng(chance), LastName().fake_with_rng(chance));
    let amount: u32 = (1..500_u32).fake_with_rng(chance);
    let postal_code: u32 = (10_000..99_999_u32).fake_with_rng(chance);
    let country = ["US", "DE", "GB", "JP", "IN"][(0..5_usize).fake_with_rng::<usize, _>(chance)];
    let month: i8 = (3..12_i8).fake_with_rng(chance);
    NewDeal {
        name: format!("{company} {what} {number}"),
        customer: Some(Customer {
            name: company,
            country: Some(country.to_owned()),
            postal_code: postal_code.to_string(),
        }),
        value: Some(Money {
            amount: f64::from(amount) * 1_000.0,
            currency: "USD".to_owned(),
        }),
        closes: Some(date(2026, month, 15)),
        notes: None,
        contact: Some(Contact {
            email: format!("contact{number}@given.example"),
            first_name,
            last_name,
        }),
        solutions: vec!["SOL-1".to_owned()],
        help: None,
        visible: None,
        sync: true,
        stage: Stage::Active,
        external_reference: None,
    }
}
