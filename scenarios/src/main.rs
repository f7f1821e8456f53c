//! The command `cosell`.

fn main() -> std::process::ExitCode {
    cosell::cli::main().into()
}
