//! Traps: exceptions, as the hypervisor hands them on.

use crate::{domain, events, println, single::Single};
use xenabi::{hypercall, trap_info};

core::arch::global_asm!(
    include_str!("traps.s"),
    iret = const xenabi::__HYPERVISOR_iret,
    options(att_syntax)
);

extern "C" {
    static exception_entries: u8;
    static event_entry: u8;
    static failsafe_entry: u8;
}

/// What traps.s leaves on the stack, from the top down.
#[repr(C)]
#[derive(Debug)]
struct TrapFrame {
    r15: u64,
    r14: u64,
    r13: u64,
    r12: u64,
    rbp: u64,
    rbx: u64,
    r11: u64,
    r10: u64,
    r9: u64,
    r8: u64,
    rdi: u64,
    rsi: u64,
    rdx: u64,
    rcx: u64,
    rax: u64,
    vector: u64,
    /// 0 where the exception has none.
    error_code: u64,
    rip: u64,
    /// Bits 32-39: the mask of events that the interrupted code had.
    cs: u64,
    rflags: u64,
    rsp: u64,
    ss: u64,
}

const PAGE_FAULT: u64 = 14;
/// Not a vector of the processor: traps.s uses it for the hypervisor's event callback.
const EVENT: u64 = 256;
const ENTRY_SIZE: usize = 16;
/// The page was there: the access was not allowed.
pub const FAULT_PRESENT: u64 = 1;

/// Called on a page fault with address and error code; true: it is cured, try again.
type PageFaultHandler = fn(u64, u64) -> bool;
static ON_PAGE_FAULT: Single<Option<PageFaultHandler>> = Single::new(None);
static mut TABLE: [trap_info; 33] = [trap_info::zeroed(); 33];

pub fn on_page_fault(handler: PageFaultHandler) {
    ON_PAGE_FAULT.set(Some(handler));
}

/// Registers all handlers with the hypervisor.
pub fn start() {
    let table = (&raw mut TABLE).cast::<trap_info>();
    // SAFETY: addresses of entries are taken, and the table has 33 rows: one of zeros ends it.
    let error = unsafe {
        for vector in 0..32 {
            let row = table.add(vector);
            (*row).vector = vector as u8;
            (*row).cs = xenabi::FLAT_KERNEL_CS;
            (*row).address = &raw const exception_entries as usize + vector * ENTRY_SIZE;
            // An event that comes before the handler has read the faulting address could fault
            // itself and overwrite it.
            if vector as u64 == PAGE_FAULT {
                (*row).flags = xenabi::XEN_TRAP_MASK_EVENTS;
            }
        }
        match hypercall::set_trap_table(table) {
            0 => hypercall::set_callbacks(
                &raw const event_entry as usize,
                &raw const failsafe_entry as usize,
                0,
            ),
            error => error,
        }
    };
    assert!(error == 0, "traps cannot be registered: {error}");
}

/// Called by traps.s; to return is to go on where the trap came from.
#[no_mangle]
extern "C" fn trap_handle(frame: &TrapFrame) {
    if frame.vector == EVENT {
        events::deliver();
        return;
    }
    // %cr2 itself cannot be read here: the hypervisor leaves its value in the shared page.
    // SAFETY: the shared page is mapped for ever.
    let address = unsafe { (&raw const (*domain::vcpu()).arch.cr2).read_volatile() } as u64;
    if frame.vector == PAGE_FAULT {
        if ON_PAGE_FAULT.get().is_some_and(|handler| handler(address, frame.error_code)) {
            return;
        }
        println!("page fault at {address:#x}");
    }
    println!("{frame:#x?}");
    panic!("nobody handles trap {} at {:#x}", frame.vector, frame.rip);
}
