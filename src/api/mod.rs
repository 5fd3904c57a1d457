//! What the API knows.
