//! Every behaviour, through the public interfaces.

mod contract;
