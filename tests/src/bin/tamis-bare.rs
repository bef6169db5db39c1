//! The program without any stage of its own: it knows what the libraries of a pipeline bring, and no more.

fn main() -> std::process::ExitCode {
    tamis_cli::main(&[])
}
