export interface TorchTimes {
  /** Version and linear algebra: with Debian's reference BLAS, which OpenBLAS replaces, PyTorch is several times slower. */
  readonly name: string
  /** By case, `<model>-<optimizer>`. */
  readonly times: Readonly<Record<string, { readonly medianMs: number; readonly minMs: number }>>
}

/** PyTorch on one thread, the same two models, batch and optimisers. Arguments: steps, batch. Prints TorchTimes as JSON. */
export const TORCH_SCRIPT = `
import json, sys, time
import torch
from torch import nn

torch.set_num_threads(1)
steps, batch = int(sys.argv[1]), int(sys.argv[2])

def reference():
    return nn.Sequential(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                         nn.Linear(5408, 128), nn.ReLU(), nn.Linear(128, 10))

def mcmahan():
    return nn.Sequential(nn.Conv2d(1, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Conv2d(32, 64, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                         nn.Linear(3136, 512), nn.ReLU(), nn.Linear(512, 10))

x, y, loss = torch.randn(batch, 1, 28, 28), torch.arange(batch) % 10, nn.CrossEntropyLoss()
results = {}
for make in (reference, mcmahan):
    for name in ("sgd", "adam"):
        model = make()
        rate = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[name]
        optimizer = rate(model.parameters(), lr=0.001)
        times = []
        for step in range(steps + 5):
            start = time.perf_counter()
            optimizer.zero_grad()
            cost = loss(model(x), y)
            cost.backward()
            optimizer.step()
            cost.item()
            if step >= 5:
                times.append(1000 * (time.perf_counter() - start))
        times.sort()
        results[make.__name__ + "-" + name] = {"medianMs": times[len(times) // 2], "minMs": times[0]}
blas = "OpenBLAS" if "openblas" in open("/proc/self/maps").read() else "reference BLAS"
print(json.dumps({"name": f"PyTorch {torch.__version__}, {blas}, one thread", "times": results}))
`
