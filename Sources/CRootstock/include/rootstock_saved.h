/*
 * Domains that are saved. Two forms: what the hypervisor tells of a suspended domain, in frames of its
 * own, for who can read the machine's memory; and what a domain is built from again, a boot module.
 * `xenograft save` makes the second out of the first: it puts page numbers of the domain in place of
 * frame numbers of the machine, wherever those stand.
 *
 * All numbers are little-endian.
 */
#ifndef ROOTSTOCK_SAVED_H
#define ROOTSTOCK_SAVED_H

#include <stdint.h>

#define ROOTSTOCK_SAVED_PAGE 4096

/*
 * Of each vcpu four pages: two for vcpu_guest_context of the ABI, in which page-table bases and GDT
 * frames are frame numbers or page numbers as all others; one for its floating-point state in XSAVE's
 * form; one for struct rootstock_saved_vcpu. The context of a 32-bit domain's vcpu has the 64-bit form,
 * too, with bases of page tables as 64-bit CR3 has them.
 */
#define ROOTSTOCK_SAVED_VCPU_PAGES 4

struct rootstock_saved_entry {
    uint64_t address;
    uint64_t flags; /* selector in bits 0-15, flags of trap_info in bits 16-23 */
};

/* What vcpu_guest_context does not have. */
struct rootstock_saved_vcpu {
    uint64_t is_initialised, is_up;
    uint64_t extended_components; /* XCR0 */
    uint64_t controls;            /* bits of CR4 that a guest may set */
    struct rootstock_saved_entry syscall32, sysenter;
    /* Of a 32-bit domain: selectors of the event and the failsafe callback. */
    uint32_t event_selector, failsafe_selector;
};

/* What a frame of memory is. */
#define ROOTSTOCK_SAVED_PLAIN 0
/* 1 to 4: a page table of that level, whose present entries have frame numbers or page numbers. */
/*
 * A page of the guest's list of frames by page (P2M), numbers as wide as the domain's words: those below
 * its end of pages are pages.
 */
#define ROOTSTOCK_SAVED_LIST 5
/* In a record: a page of the hypervisor's that it shares with the domain. A restored one has others. */
#define ROOTSTOCK_SAVED_SHARED 6
/* In a record: the table of level 2 of a 32-bit domain whose last entries are the hypervisor's. */
#define ROOTSTOCK_SAVED_HIGH 7

/*
 * What ROOTSTOCK_RECORD_DOMAIN leaves: the machine address of a frame with this at its beginning, and
 * behind it frame numbers of 32 bits: four for each vcpu, then those of the table. The table has 64 bits
 * for each frame of the domain, and each that is shared with it: the frame's number in bits 0-31, the page's in 32-58, what it is in
 * 59-61, and whether the domain has pinned it in 62.
 */
#define ROOTSTOCK_RECORD_MAGIC 0x3143455247584758 /* "XGXGREC1" */
struct rootstock_record {
    uint64_t magic;
    uint64_t frame_count;  /* entries of the table */
    uint64_t page_limit;   /* frames that the domain may have */
    uint64_t assists;      /* vm_assist */
    uint64_t start_info;   /* frames */
    uint64_t shared_info;
    uint64_t store;
    uint64_t console;
    uint32_t vcpu_count;
    uint32_t suspender;    /* the vcpu that has suspended the domain */
    uint32_t list_count;   /* frame numbers behind this structure */
    uint32_t reserved_start; /* of a 32-bit domain: where the hypervisor's part begins; else 0 */
};
#define ROOTSTOCK_RECORD_TYPE_SHIFT 59
#define ROOTSTOCK_RECORD_PINNED (1ull << 62)
#define ROOTSTOCK_SAVED_ZERO (1ull << 63)

/*
 * A saved domain: a page with this at its beginning and zeros behind it; the pages of each vcpu; a table
 * of 64 bits for each page of memory, up to a page's end; the contents, in the order of the table. An
 * entry of the table has the page's number in bits 0-31, what it is in 59-61, whether it is pinned in 62,
 * and in 63 that it is all zeros and has no contents.
 */
#define ROOTSTOCK_SAVED_MAGIC 0x3144455641534758 /* "XGSAVED1" */
#define ROOTSTOCK_SAVED_VERSION 2 /* 1: no 32-bit domains, else the same */
struct rootstock_saved {
    uint64_t magic;
    uint32_t version;
    uint32_t vcpu_count;
    uint64_t page_count;   /* pages of memory */
    uint64_t content_count; /* those with contents */
    uint64_t page_end;     /* above every page's number */
    uint64_t page_limit;
    uint64_t assists;
    uint64_t start_info;   /* pages */
    uint64_t store;
    uint64_t console;
    uint32_t suspender;
    uint32_t reserved_start; /* as in the record */
    uint8_t digest[32];    /* SHA-256 of the file with zeros in this field */
};

#endif
