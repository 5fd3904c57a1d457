//! What the API knows: the schema of its kinds, strict decoding, defaults.

pub mod decode;
pub mod defaults;
pub mod schema;
