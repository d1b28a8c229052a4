"""The commands of the documents that no test of this folder runs, each with the reason."""

INSTALLS = "installs into an environment, from the network; whoever runs this test has done it"
SLURM = "a line of a batch script for Slurm and four hosts; its commands of Ray and of the study are run in the block before"
RUNS_TESTS = "runs the test suite, of which this is a part"
GPU = "asks for the profile of a GPU; its main function is run at a small size by {}"
#: Benchmarks, each with the test that runs it on a CPU.
BENCHMARKS = {
    "step --profile h100": "test_step.py",
    "step --profile h100 --notebook": "test_step.py",
    "data --profile h100 --set data.source=/path/to/videos": "test_data.py",
    "tracking --profile h100": "test_tracking.py",
    "trial --profile h100 --set data.source=/path/to/videos": "test_trial.py",
    "study --trials 50 --profile h100 --set data.source=/path/to/videos": "test_study.py",
    "probes --profile h100": "test_probes.py",
    "noise --profile h100 --set data.source=/path/to/videos": "test_noise.py",
    "floor --profile h100": "test_floor.py",
}

EXCUSED = {
    "make install": INSTALLS,
    "pip install '.[reference]'": INSTALLS,
    "pip install 'psycopg[binary]'": INSTALLS,
    "cd /shared/taehv-search && make install && .venv/bin/pip install -c constraints.txt -e '.[cluster,postgres]'": INSTALLS,
    "export PGPASSWORD=...": "stands for the reader's own password; the test sets one",
    "make check": RUNS_TESTS,
    "OMP_NUM_THREADS=1 .venv/bin/python -m pytest tests/model/training -n 2": RUNS_TESTS,
    "python -m tests.crashes docs/crash-matrix.md": "kills studies for an hour; tests/crashes/test_crashes.py does so once",
    "python -m tests.sabotage docs/diagnosis-recall.md": "trains with every fault in turn; tests/sabotage/test_*.py do the same",
    "python -m benchmarks.many_trials --trials 1000 --profile cpu": "minutes; tests/benchmarks/test_many_trials.py runs few",
    "cd /shared/taehv-search && source .venv/bin/activate": SLURM,
    "head=$(hostname)": SLURM,
    "ray start --head --port=6379 --num-gpus=8 --num-cpus=64 --include-dashboard=false --disable-usage-stats": SLURM,
    'srun --nodes=3 --ntasks=3 --exclude="$head" ray start --address="$head:6379" --num-gpus=8 --num-cpus=64 --block &': SLURM,
    "until [ \"$(ray status | grep -c '^ 1 node_')\" = 4 ]; do sleep 2; done": SLURM,
    "python -m search.run --trials 500 --executor ray": SLURM,
} | {f"python -m benchmarks.{rest}": GPU.format(f"tests/benchmarks/{test}") for rest, test in BENCHMARKS.items()}
