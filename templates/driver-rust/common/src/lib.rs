//! The driver by itself, against the kernel's modules: so it compiles without a kernel. A kernel takes in
//! `mod.rs` alone.
#![no_std]

#[path = "../system/clock.rs"]
pub mod clock;
#[path = "../system/console.rs"]
pub mod console;
#[path = "../system/domain.rs"]
pub mod domain;
#[path = "mod.rs"]
pub mod driver;
#[path = "../system/events.rs"]
pub mod events;
#[path = "../system/heap.rs"]
pub mod heap;
#[path = "../system/pages.rs"]
pub mod pages;
#[path = "../system/single.rs"]
pub mod single;
