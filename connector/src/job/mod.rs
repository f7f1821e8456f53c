//! What the connector does, as jobs that read from top to bottom: each waits for replies, timers and turns only.
//!
//! The rules are those of [`crate::sync`]; the requests those of [`crate::system`].

/// The change feeds as they were read last.
mod feed;
/// Which row of the CRM's solutions belongs to which opportunity.
pub(crate) mod solution_rows;
/// What every job works with, and how a call is made.
pub(crate) mod desk;
/// How it goes.
pub(crate) mod health;
/// The webhook registration.
pub(crate) mod register;
/// The flows at work.
pub(crate) mod flows;
/// What one look at a deal leads to.
pub(crate) mod step;
/// Whether the CRM has the stages that the settings name.
mod stages;
/// The CRM's calls, whichever CRM it is.
pub(crate) mod crm;
/// Partner Center's calls.
pub(crate) mod pc;
/// Leads.
mod leads;
/// A second referral of one opportunity.
mod duplicates;
/// An opportunity for a referral.
pub(crate) mod create_in_crm;
/// A referral for an opportunity.
pub(crate) mod create_in_pc;
/// Both records of a linked deal.
mod pair;
/// What a system says it took, and did not.
mod untaken;
/// Writes to a linked referral.
mod to_pc;
/// Writes to a linked opportunity.
mod to_crm;
/// Microsoft's side of a deal.
mod microsoft;
/// The solutions of a deal.
mod solutions;
/// Both records of one deal in step.
pub(crate) mod sync_linked;
/// One run of one deal, and what becomes of its failures.
pub(crate) mod run;
/// Webhooks.
pub(crate) mod hook;
/// What the CRM changed.
pub(crate) mod poll;
/// What Partner Center changed.
pub(crate) mod reconcile;
