# The commands of every day; `./check` is the one that must pass.

default:
    @just --list

# The inner loop: form, lints, tests.
fast:
    ./check fast

# Everything.
check:
    ./check

# A running installation on loopback, with a tour.
demo *arguments:
    cargo run -p lanyard-server -- demo {{arguments}}

# Foreign clients against the built program; a filter picks cases by name.
interop *filter:
    ./check build
    interop/run {{filter}}

# Draw the fixtures out of the foreign clients again.
capture *clients:
    interop/capture {{clients}}

# Write the files that the program describes itself with.
generate:
    cargo build -p lanyard-server
    cargo xtask generate {{justfile_directory()}}/target/debug/lanyard

# Accept changed golden dumps after reading them.
review:
    cargo insta review
