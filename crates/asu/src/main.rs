//! Starts asu.

fn main() -> std::process::ExitCode {
    asu::main()
}
