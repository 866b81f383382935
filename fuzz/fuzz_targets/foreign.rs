#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| shipit::fuzzing::foreign(input));
