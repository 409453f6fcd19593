// The names behind the feature numbers in `.altinstructions`: a table of facts, word by word.
// Source: the X86_FEATURE_* numbers of Linux 6.1 (arch/x86/include/asm/cpufeatures.h).

/// Names of Linux's x86 feature bits.
///
/// Words that mirror a CPUID leaf are the same in every kernel. The words that Linux defines itself
/// (3, 7, 8, 11, 21) keep almost all of their bits between versions; the bug bits that follow the
/// last word move with the version and have no name here.
enum FeatureNames {
  /// The name without its prefix, `XENPV`; `nil` for a bit without one.
  static func name(word: Int, bit: Int) -> String? {
    guard words.indices.contains(word), words[word].indices.contains(bit) else { return nil }
    let name = words[word][bit]
    return name == "-" ? nil : name
  }

  private static let words: [[String]] = table.map {
    $0.split(separator: " ").map(String.init)
  }

  /// One text per word, from bit 0 up; `-` is a bit without a name.
  private static let table: [String] = [
    // Word 0.
    """
    FPU VME DE PSE TSC MSR PAE MCE CX8 APIC - SEP MTRR PGE MCA CMOV PAT PSE36 PN CLFLUSH - DS \
    ACPI MMX FXSR XMM XMM2 SELFSNOOP HT ACC IA64 PBE
    """,
    // Word 1.
    """
    - - - - - - - - - - - SYSCALL - - - - - - - MP NX - MMXEXT - - FXSR_OPT GBPAGES RDTSCP - LM \
    3DNOWEXT 3DNOW
    """,
    // Word 2.
    """
    RECOVERY LONGRUN - LRTI
    """,
    // Word 3.
    """
    CXMMX K6_MTRR CYRIX_ARR CENTAUR_MCR K8 K7 P3 P4 CONSTANT_TSC UP ART ARCH_PERFMON PEBS BTS \
    SYSCALL32 SYSENTER32 REP_GOOD AMD_LBR_V2 LFENCE_RDTSC ACC_POWER NOPL ALWAYS XTOPOLOGY \
    TSC_RELIABLE NONSTOP_TSC CPUID EXTD_APICID AMD_DCM APERFMPERF RAPL NONSTOP_TSC_S3 \
    TSC_KNOWN_FREQ
    """,
    // Word 4.
    """
    XMM3 PCLMULQDQ DTES64 MWAIT DSCPL VMX SMX EST TM2 SSSE3 CID SDBG FMA CX16 XTPR PDCM - PCID \
    DCA XMM4_1 XMM4_2 X2APIC MOVBE POPCNT TSC_DEADLINE_TIMER AES XSAVE OSXSAVE AVX F16C RDRAND \
    HYPERVISOR
    """,
    // Word 5.
    """
    - - XSTORE XSTORE_EN - - XCRYPT XCRYPT_EN ACE2 ACE2_EN PHE PHE_EN PMM PMM_EN
    """,
    // Word 6.
    """
    LAHF_LM CMP_LEGACY SVM EXTAPIC CR8_LEGACY ABM SSE4A MISALIGNSSE 3DNOWPREFETCH OSVW IBS XOP \
    SKINIT WDT - LWP FMA4 TCE - NODEID_MSR - TBM TOPOEXT PERFCTR_CORE PERFCTR_NB - BPEXT PTSC \
    PERFCTR_LLC MWAITX
    """,
    // Word 7.
    """
    RING3MWAIT CPUID_FAULT CPB EPB CAT_L3 CAT_L2 CDP_L3 INVPCID_SINGLE HW_PSTATE PROC_FEEDBACK \
    XCOMPACTED PTI KERNEL_IBRS RSB_VMEXIT INTEL_PPIN CDP_L2 MSR_SPEC_CTRL SSBD MBA RSB_CTXSW \
    PERFMON_V2 USE_IBPB USE_IBRS_FW SPEC_STORE_BYPASS_DISABLE LS_CFG_SSBD IBRS IBPB STIBP ZEN \
    L1TF_PTEINV IBRS_ENHANCED MSR_IA32_FEAT_CTL
    """,
    // Word 8.
    """
    TPR_SHADOW VNMI FLEXPRIORITY EPT VPID COHERENCY_SFW_NO - - - - - - - - - VMMCALL XENPV \
    EPT_AD VMCALL VMW_VMMCALL PVUNLOCK VCPUPREEMPT TDX_GUEST
    """,
    // Word 9.
    """
    FSGSBASE TSC_ADJUST SGX BMI1 HLE AVX2 FDP_EXCPTN_ONLY SMEP BMI2 ERMS INVPCID RTM CQM \
    ZERO_FCS_FDS MPX RDT_A AVX512F AVX512DQ RDSEED ADX SMAP AVX512IFMA - CLFLUSHOPT CLWB \
    INTEL_PT AVX512PF AVX512ER AVX512CD SHA_NI AVX512BW AVX512VL
    """,
    // Word 10.
    """
    XSAVEOPT XSAVEC XGETBV1 XSAVES XFD
    """,
    // Word 11.
    """
    CQM_LLC CQM_OCCUP_LLC CQM_MBM_TOTAL CQM_MBM_LOCAL FENCE_SWAPGS_USER FENCE_SWAPGS_KERNEL \
    SPLIT_LOCK_DETECT PER_THREAD_MBA SGX1 SGX2 ENTRY_IBPB RRSBA_CTRL RETPOLINE RETPOLINE_LFENCE \
    RETHUNK UNRET USE_IBPB_FW RSB_VMEXIT_LITE CLEAR_CPU_BUF - MSR_TSX_CTRL - - - SRSO SRSO_ALIAS \
    IBPB_ON_VMEXIT APIC_MSRS_FENCE ZEN2 ZEN3 ZEN4 ZEN1
    """,
    // Word 12.
    """
    - - - - AVX_VNNI AVX512_BF16
    """,
    // Word 13.
    """
    CLZERO IRPERF XSAVEERPTR - RDPRU - - - - WBNOINVD - - AMD_IBPB - AMD_IBRS AMD_STIBP - \
    AMD_STIBP_ALWAYS_ON - - - - - AMD_PPIN AMD_SSBD VIRT_SSBD AMD_SSB_NO CPPC - BTC_NO \
    AMD_IBPB_RET BRS
    """,
    // Word 14.
    """
    DTHERM IDA ARAT - PLN - PTS HWP HWP_NOTIFY HWP_ACT_WINDOW HWP_EPP HWP_PKG_REQ - - - - - - - \
    HFI
    """,
    // Word 15.
    """
    NPT LBRV SVML NRIPS TSCRATEMSR VMCBCLEAN FLUSHBYASID DECODEASSISTS - - PAUSEFILTER - \
    PFTHRESHOLD AVIC - V_VMSAVE_VMLOAD VGIF - X2AVIC - V_SPEC_CTRL - - - - - - - SVME_ADDR_CHK
    """,
    // Word 16.
    """
    - AVX512VBMI UMIP PKU OSPKE WAITPKG AVX512_VBMI2 - GFNI VAES VPCLMULQDQ AVX512_VNNI \
    AVX512_BITALG TME AVX512_VPOPCNTDQ - LA57 - - - - - RDPID - BUS_LOCK_DETECT CLDEMOTE - \
    MOVDIRI MOVDIR64B ENQCMD SGX_LC
    """,
    // Word 17.
    """
    OVERFLOW_RECOV SUCCOR - SMCA
    """,
    // Word 18.
    """
    - - AVX512_4VNNIW AVX512_4FMAPS FSRM - - - AVX512_VP2INTERSECT SRBDS_CTRL MD_CLEAR \
    RTM_ALWAYS_ABORT - TSX_FORCE_ABORT SERIALIZE HYBRID_CPU TSXLDTRK - PCONFIG ARCH_LBR IBT - \
    AMX_BF16 AVX512_FP16 AMX_TILE AMX_INT8 SPEC_CTRL INTEL_STIBP FLUSH_L1D ARCH_CAPABILITIES \
    CORE_CAPABILITIES SPEC_CTRL_SSBD
    """,
    // Word 19.
    """
    SME SEV VM_PAGE_FLUSH SEV_ES - - - - - V_TSC_AUX SME_COHERENT
    """,
    // Word 20.
    """
    - - - - - VERW_CLEAR - - AUTOIBRS - - - - - - - - - - - - - - - - - - SBPB IBPB_BRTYPE \
    SRSO_NO
    """,
    // Word 21.
    """
    AMD_LBR_PMC_FREEZE CLEAR_BHB_LOOP BHI_CTRL CLEAR_BHB_HW CLEAR_BHB_LOOP_ON_VMEXIT \
    INDIRECT_THUNK_ITS - - - - - TSA_SQ_NO TSA_L1_NO CLEAR_CPU_BUF_VM IBPB_EXIT_TO_USER
    """,
  ]
}
