//! The guest's half of Xen's split drivers: xenstore and xenbus, disks, networks, the console.
//!
//! ```text
//!     your kernel   bus, block, net, console
//!                     |      |     |
//!                   store   block_*, net_*      one driver for each kind of device
//!                     |      '-shared-'         rings and pages that a backend shares
//!                   events   grants             ports, and entries of the grant table
//!                     |        |
//!     your kernel      system                   memory, ports, time, hypercalls
//! ```
//!
//! The same drivers as Xenograft's in C, file by file: `xg_grant.c` is `grants.rs`.
//! Nothing but `core` is used. A kernel implements [`system::System`] and puts the parts into statics,
//! each over the one before: `Events`, `Grants`, `Store`, `Bus`.
#![no_std]
#![deny(missing_docs, unsafe_op_in_unsafe_fn)]

pub mod block;
mod block_connect;
mod block_piece;
pub mod bus;
pub mod console;
pub mod error;
pub mod events;
pub mod grants;
pub mod memory;
pub mod net;
mod net_interface;
mod net_receive;
mod net_send;
pub mod shared;
pub mod store;
pub mod system;
pub mod text;
