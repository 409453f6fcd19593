//! Pages and page tables under a hypervisor. Three kinds of number name a page:
//!
//! * pseudo-physical frame: 0, 1, 2 …, the domain's own memory, without holes;
//! * machine frame: where the page really is, which page tables and hypercalls want;
//! * virtual address: `KERNEL_BASE` + pseudo-physical frame * 4096, for all pages mapped here.
//!
//! P2M (`start_info.mfn_list`) leads from the first to the second; M2P, which the hypervisor maps for
//! everyone, leads back. The processor walks our tables as they are, so the hypervisor must know
//! that they map nothing but our own frames: a table is mapped read-only, and one in use is changed
//! by hypercall. Reading is free.

use crate::{domain, single::Single};
use xenabi::hypercall;

pub const KERNEL_BASE: u64 = 0xffff_ffff_8000_0000;
pub const SIZE: u64 = 4096;

// Bits of an entry, as the processor has them. PV kernels run in ring 3: every page is a user page.
const PRESENT: u64 = 1;
pub const READABLE: u64 = PRESENT | 4;
pub const WRITABLE: u64 = READABLE | 2;
pub const NO_EXECUTE: u64 = 1 << 63;
const FRAME: u64 = 0x000f_ffff_ffff_f000;
const LEVELS: u32 = 4;
const PER_TABLE: u64 = 512;
/// What one second-level table reaches: the loader made that one.
const MOST: u64 = PER_TABLE * PER_TABLE;

/// One bit for each pseudo-physical page: it is in use.
static USED: [Single<u64>; MOST as usize / 64] = [const { Single::new(0) }; MOST as usize / 64];
/// Pages from here on are not mapped, and so cannot be given out.
static MAPPED_END: Single<u64> = Single::new(0);
/// The page that serves as the next table: when all are in use it is too late to look for one.
static SPARE: Single<Option<u64>> = Single::new(None);
/// Pages of the domain that we can ever map.
static LAST: Single<u64> = Single::new(0);

/// Finds out which memory is free.
pub fn start() {
    let info = domain::info();
    // The loader's order: image, ramdisk, P2M, start_info, pages of xenstore and console, page
    // tables, stack. What is behind the stack, and mapped, is free.
    let first = (info.pt_base as u64 - KERNEL_BASE) / SIZE + info.nr_pt_frames as u64 + 1;
    (0..first).for_each(|page| mark(page, true));
    let last = (info.nr_pages as u64).min(MOST);
    let mut end = first;
    while end < last && is_mapped(KERNEL_BASE + end * SIZE) {
        end += 1;
    }
    MAPPED_END.set(end);
    LAST.set(last);
    SPARE.set(find(1));
}

fn mark(page: u64, in_use: bool) {
    let (word, bit) = (&USED[page as usize / 64], 1 << (page % 64));
    word.set(if in_use { word.get() | bit } else { word.get() & !bit });
}

fn is_used(page: u64) -> bool {
    USED[page as usize / 64].get() >> (page % 64) & 1 != 0
}

/// Pages in a row that are free; now they are in use.
fn find(count: u64) -> Option<u64> {
    let mut run = 0;
    for page in 0..MAPPED_END.get() {
        run = if is_used(page) { 0 } else { run + 1 };
        if run == count {
            let first = page + 1 - count;
            (first..=page).for_each(|page| mark(page, true));
            return Some(KERNEL_BASE + first * SIZE);
        }
    }
    None
}

/// Zeroed pages in a row, if there are so many.
pub fn alloc(count: u64) -> Option<u64> {
    if count == 0 || count > MOST {
        return None;
    }
    let pages = loop {
        match find(count) {
            Some(pages) => break pages,
            None if grow().is_some() => {}
            None => return None,
        }
    };
    // SAFETY: the pages are mapped writable and nobody has them.
    unsafe { (pages as *mut u8).write_bytes(0, (count * SIZE) as usize) };
    Some(pages)
}

/// Gives back pages, all of an allocation or some.
pub fn free(pages: u64, count: u64) {
    let first = (pages - KERNEL_BASE) / SIZE;
    (first..first + count).for_each(|page| mark(page, false));
}

/// Maps 2 MiB more of our own memory: one new table, filled while it is still an ordinary page.
fn grow() -> Option<()> {
    let first = MAPPED_END.get().next_multiple_of(PER_TABLE);
    if first >= LAST.get() {
        return None;
    }
    (MAPPED_END.get()..first).for_each(|page| mark(page, true));
    let table = SPARE.get()?;
    let end = (first + PER_TABLE).min(LAST.get());
    // SAFETY: the page is mapped writable and nobody has it.
    let entries = unsafe { core::slice::from_raw_parts_mut(table as *mut u64, PER_TABLE as usize) };
    for (page, entry) in (first..).zip(entries) {
        *entry = if page < end { frame_of_page(page) * SIZE | WRITABLE } else { 0 };
    }
    if insert_table(KERNEL_BASE + first * SIZE, 2, table) != 0 {
        return None;
    }
    MAPPED_END.set(end);
    SPARE.set(find(1));
    Some(())
}

fn frame_of_page(page: u64) -> u64 {
    // SAFETY: the P2M has an entry for each page of the domain.
    unsafe { (domain::info().mfn_list as *const u64).add(page as usize).read() }
}

/// The machine frame of a page of ours.
pub fn frame_of(address: u64) -> u64 {
    frame_of_page((address - KERNEL_BASE) / SIZE)
}

/// A page of ours by its machine frame.
pub fn page_of_frame(frame: u64) -> u64 {
    // SAFETY: frames in our tables and in start_info are ours, and M2P has an entry for each.
    let page = unsafe { (xenabi::MACH2PHYS_VIRT_START as *const u64).add(frame as usize).read() };
    KERNEL_BASE + page * SIZE
}

/// The entry of a level (4 is the top) that an address goes through, if the tables above are there.
fn entry_of(address: u64, level: u32) -> Option<*const u64> {
    let mut table = domain::info().pt_base as *const u64;
    for at in (level..=LEVELS).rev() {
        let index = (address >> (12 + 9 * (at - 1))) as usize % PER_TABLE as usize;
        // SAFETY: tables have 512 entries and are mapped, read-only.
        let entry = unsafe { table.add(index) };
        if at == level {
            return Some(entry);
        }
        // SAFETY: as above.
        let value = unsafe { entry.read_volatile() };
        if value & PRESENT == 0 {
            return None;
        }
        table = page_of_frame((value & FRAME) / SIZE) as *const u64;
    }
    None
}

fn is_present(entry: *const u64) -> bool {
    // SAFETY: entry_of gives addresses in mapped tables.
    unsafe { entry.read_volatile() & PRESENT != 0 }
}

fn is_mapped(address: u64) -> bool {
    entry_of(address, 1).is_some_and(is_present)
}

fn write_entry(entry: *const u64, value: u64) -> isize {
    let address = frame_of(entry as u64) * SIZE + entry as u64 % SIZE;
    let mut update = xenabi::mmu_update { ptr: address | xenabi::MMU_NORMAL_PT_UPDATE as u64, val: value };
    // SAFETY: the hypervisor checks the entry; what it makes reachable is the caller's affair.
    unsafe { hypercall::mmu_update(&raw mut update, 1, core::ptr::null_mut(), xenabi::DOMID_SELF) }
}

/// Makes a page a table, and the entry of `level` (2 to 4) for an address point to it.
fn insert_table(address: u64, level: u32, table: u64) -> isize {
    let value = frame_of(table) * SIZE;
    // SAFETY: nobody writes to the page any more.
    let error = unsafe {
        hypercall::update_va_mapping(table as usize, value | READABLE, xenabi::UVMF_INVLPG as usize)
    };
    match entry_of(address, level) {
        Some(entry) if error == 0 => write_entry(entry, value | WRITABLE),
        _ => error,
    }
}

/// Maps a machine frame at a page-aligned address, making the tables that are missing. 0, or what the
/// hypervisor refused it with.
pub fn map(address: u64, frame: u64, flags: u64) -> isize {
    for level in (2..=LEVELS).rev() {
        if entry_of(address, level).is_some_and(is_present) {
            continue;
        }
        let Some(table) = alloc(1) else { return -(xenabi::XEN_ENOMEM as isize) };
        let error = insert_table(address, level, table);
        if error != 0 {
            return error;
        }
    }
    entry_of(address, 1).map_or(-(xenabi::XEN_ENOMEM as isize), |entry| {
        write_entry(entry, frame * SIZE | flags)
    })
}

/// Takes the mapping away and flushes it from the TLB.
pub fn unmap(address: u64) -> isize {
    // SAFETY: what the caller has there, he gives up.
    unsafe { hypercall::update_va_mapping(address as usize, 0, xenabi::UVMF_INVLPG as usize) }
}
