//! The limits Souk is measured against: HTTP that does nothing, and SQLite without HTTP.
//!
//! ```text
//! limit serve PORT FOLDER             answers /NAME with the bytes of FOLDER/NAME
//! limit sqlite FILE VARIANTS SECONDS  runs statements in a loop, prints how many variants per second
//! ```

mod serve;
mod sqlite;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["serve", port, folder] => serve::run(port.parse()?, folder.as_ref())?,
        ["sqlite", file, variants, seconds] => {
            println!("{:.0}", sqlite::run(file, variants, seconds.parse()?)?);
        }
        _ => return Err("usage: limit serve PORT FOLDER | limit sqlite FILE VARIANTS SECONDS".into()),
    }
    Ok(())
}
