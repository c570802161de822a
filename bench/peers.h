/// \file
/// The peers that this build has. Those from packages are left out when the package was not found.
#pragma once

#include <memory>
#include <string_view>

#include "backend_ashlar.h"
#include "backend_locked_map.h"
#include "contender.h"

#ifdef ASHLAR_BENCH_TBB
#include "backend_tbb.h"
#endif
#ifdef ASHLAR_BENCH_ABSL
#include "backend_absl.h"
#endif

namespace ashlar::bench {

/// The name of the peer TBB, whether it was built or not.
inline constexpr std::string_view kTbbName = "tbb";

/// Ours and TBB in the loop `Loop`, the latter in two forms.
template <template <typename> typename Loop, typename... Arguments>
Contenders against_tbb(const Arguments&... arguments) {
  Contenders contenders;
  contenders.push_back(std::make_unique<Loop<AshlarBackend>>(arguments...));
#ifdef ASHLAR_BENCH_TBB
  contenders.push_back(std::make_unique<Loop<TbbBackend<TbbStringKeys>>>(arguments...));
  contenders.push_back(std::make_unique<Loop<TbbBackend<TbbFixedKeys>>>(arguments...));
#endif
  return contenders;
}

/// Ours and every peer in the loop `Loop`.
template <template <typename> typename Loop, typename... Arguments>
Contenders against_all(const Arguments&... arguments) {
  Contenders contenders = against_tbb<Loop>(arguments...);
#ifdef ASHLAR_BENCH_ABSL
  contenders.push_back(std::make_unique<Loop<AbslBackend>>(arguments...));
#endif
  contenders.push_back(std::make_unique<Loop<LockedMapBackend>>(arguments...));
  return contenders;
}

}  // namespace ashlar::bench
