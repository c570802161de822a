/// \file
/// The loops of the disk rows, one function a loop: each makes one side of a row.
#pragma once

#include "disk/disk_row.h"

namespace ashlar::bench {

// Writes: disk/write_loops.cc and disk/sustained_loop.cc.
std::unique_ptr<Contender> fill(const DiskEngine&, const DiskRow&, const Settings&);
std::unique_ptr<Contender> overwrite(const DiskEngine&, const DiskRow&, const Settings&);
std::unique_ptr<Contender> delete_all(const DiskEngine&, const DiskRow&, const Settings&);
std::unique_ptr<Contender> overwrite_sustained(const DiskEngine&, const DiskRow&, const Settings&);

// Point reads: disk/read_loops.cc.
std::unique_ptr<Contender> read_random(const DiskEngine&, const DiskRow&, const Settings&);
std::unique_ptr<Contender> read_missing(const DiskEngine&, const DiskRow&, const Settings&);

// Walks: disk/walk_loops.cc.
std::unique_ptr<Contender> walk_forward(const DiskEngine&, const DiskRow&, const Settings&);
std::unique_ptr<Contender> walk_backward(const DiskEngine&, const DiskRow&, const Settings&);
std::unique_ptr<Contender> seek_random(const DiskEngine&, const DiskRow&, const Settings&);

// Two threads: disk/workload_loop.cc and disk/read_while_writing.cc.
std::unique_ptr<Contender> read_while_writing(const DiskEngine&, const DiskRow&, const Settings&);
std::unique_ptr<Contender> run_workload(const DiskEngine&, const DiskRow&, const Settings&);

// Data larger than memory: disk/cold_loops.cc.
std::unique_ptr<Contender> read_zipf_cold(const DiskEngine&, const DiskRow&, const Settings&);
std::unique_ptr<Contender> read_batches_cold(const DiskEngine&, const DiskRow&, const Settings&);

// Sizes and opening: disk/size_loops.cc.
std::unique_ptr<Contender> measure_size(const DiskEngine&, const DiskRow&, const Settings&);
std::unique_ptr<Contender> measure_writes(const DiskEngine&, const DiskRow&, const Settings&);
std::unique_ptr<Contender> reopen(const DiskEngine&, const DiskRow&, const Settings&);

}  // namespace ashlar::bench
