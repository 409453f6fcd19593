/*
 * test: grant-copy
 * GNTTABOP_copy between frames and grants, in all directions; within one frame, up to the last
 * byte, several at once, and all that it refuses.
 */
#include "guest.h"

static uint8_t *page, *other;
static mfn_t mfn, other_mfn;

static int copy(struct gnttab_copy_ptr source, struct gnttab_copy_ptr dest, uint16_t length,
                uint16_t flags)
{
    return grant_copy(
        (struct gnttab_copy){.source = source, .dest = dest, .len = length, .flags = flags});
}

static void fill(void)
{
    for (unsigned int i = 0; i < PAGE_SIZE; i++) {
        page[i] = (uint8_t)(i * 7);
        other[i] = 0;
    }
}

void test_main(void)
{
    grants_initialise(1);
    page = page_alloc();
    other = page_alloc();
    mfn = mfn_of(page);
    other_mfn = mfn_of(other);
    grant_access(8, 0, mfn, GTF_permit_access);
    grant_access(9, 0, other_mfn, GTF_permit_access);
    grant_access(10, 0, mfn, GTF_permit_access | GTF_readonly);
    grant_access(11, 5, mfn, GTF_permit_access);
    grant_access(12, 0, mfn_of(top_table()), GTF_permit_access);
    grant_access(13, 0, 0xfffffff, GTF_permit_access);

    fill();
    expect_status("frame to frame", copy(copy_frame(mfn, 1), copy_frame(other_mfn, 2), 100, 0),
                  GNTST_okay);
    expect_true("the bytes", !memcmp(other + 2, page + 1, 100) && !other[1] && !other[102]);
    fill();
    expect_status("grant to frame",
                  copy(copy_grant(0, 10, 0), copy_frame(other_mfn, 0), PAGE_SIZE,
                       GNTCOPY_source_gref), GNTST_okay);
    expect_true("the bytes", !memcmp(other, page, PAGE_SIZE));
    fill();
    expect_status("frame to grant",
                  copy(copy_frame(mfn, 4095), copy_grant(0, 9, 4095), 1, GNTCOPY_dest_gref),
                  GNTST_okay);
    expect_true("the byte", other[4095] == page[4095] && !other[4094]);
    fill();
    uint16_t both = GNTCOPY_source_gref | GNTCOPY_dest_gref;
    expect_status("grant to grant", copy(copy_grant(0, 8, 8), copy_grant(0, 9, 16), 64, both),
                  GNTST_okay);
    expect_true("the bytes", !memcmp(other + 16, page + 8, 64));
    fill();
    expect_status("within a frame", copy(copy_frame(mfn, 0), copy_frame(mfn, 2048), 2048, 0),
                  GNTST_okay);
    expect_true("the bytes", !memcmp(page, page + 2048, 2048));
    expect_value("no grant is in use",
                 (grant_entry(8)->flags | grant_entry(9)->flags) & (GTF_reading | GTF_writing), 0);
    expect_status("no bytes at the end",
                  copy(copy_frame(mfn, 4096), copy_frame(other_mfn, 4096), 0, 0), GNTST_okay);
    expect_status("out of a page table",
                  copy(copy_grant(0, 12, 0), copy_frame(other_mfn, 0), 8, GNTCOPY_source_gref),
                  GNTST_okay);

    struct gnttab_copy_ptr to = copy_frame(other_mfn, 0), from = copy_frame(mfn, 0);
    uint16_t source = GNTCOPY_source_gref, dest = GNTCOPY_dest_gref;
    expect_status("over the source's end", copy(copy_grant(0, 8, 4090), to, 8, source),
                  GNTST_bad_copy_arg);
    expect_status("over the destination's end", copy(from, copy_grant(0, 9, 4090), 8, dest),
                  GNTST_bad_copy_arg);
    expect_status("all ones", copy(copy_grant(0, 8, 65535), to, 65535, source),
                  GNTST_bad_copy_arg);
    expect_status("no bytes beyond the end", copy(copy_frame(mfn, 4097), to, 0, 0),
                  GNTST_bad_copy_arg);
    expect_status("to a read-only grant", copy(from, copy_grant(0, 10, 0), 8, dest),
                  GNTST_general_error);
    expect_status("another's grant", copy(copy_grant(0, 11, 0), to, 8, source),
                  GNTST_general_error);
    expect_status("a free entry", copy(copy_grant(0, 20, 0), to, 8, source), GNTST_general_error);
    expect_status("into a page table", copy(from, copy_grant(0, 12, 0), 8, dest),
                  GNTST_general_error);
    expect_status("into the own page table", copy(from, copy_frame(mfn_of(top_table()), 0), 8, 0),
                  GNTST_general_error);
    expect_status("a frame beyond memory", copy(copy_grant(0, 13, 0), to, 8, source),
                  GNTST_bad_page);
    expect_status("a number beyond memory", copy(copy_frame(~0ul, 0), to, 8, 0), GNTST_bad_page);
    expect_status("a reference beyond the table", copy(copy_grant(0, 512, 0), to, 8, source),
                  GNTST_bad_gntref);
    expect_status("no such domain", copy(copy_grant(77, 8, 0), to, 8, source), GNTST_bad_domain);
    struct gnttab_copy_ptr named = from;
    named.domid = 0;
    expect_status("a number of a named domain", copy(named, to, 8, 0), GNTST_permission_denied);
    expect_status("DOMID_SELF's grant", copy(copy_grant(DOMID_SELF, 8, 0), to, 8, source),
                  GNTST_okay);

    fill();
    struct gnttab_copy list[64];
    for (unsigned int i = 0; i < 64; i++)
        list[i] = (struct gnttab_copy){.source = copy_grant(0, i == 40 ? 20 : 8, (uint16_t)(i * 64)),
                                       .dest = copy_frame(other_mfn, (uint16_t)(4032 - i * 64)),
                                       .len = 64,
                                       .flags = source};
    expect_result("64 copies", HYPERVISOR_grant_table_op(GNTTABOP_copy, list, 64), 0);
    unsigned int good = 0;
    for (unsigned int i = 0; i < 64; i++)
        good += list[i].status == GNTST_okay && !memcmp(other + 4032 - i * 64, page + i * 64, 64);
    expect_value("done", good, 63);
    expect_status("the bad one", list[40].status, GNTST_general_error);
}
