"""Commands named as SLURM's that run the tasks of an array on this machine, all at once."""

from __future__ import annotations

from pathlib import Path

SBATCH = """\
#!/bin/bash
here=$(dirname "$0")
cat > "$here/script.sh"
tasks=$(sed -n 's/^#SBATCH --array=1-\\([0-9]*\\).*/\\1/p' "$here/script.sh")
for task in $(seq "$tasks"); do
    SLURM_JOB_ID=$((100 + task)) SLURM_ARRAY_JOB_ID=100 SLURM_ARRAY_TASK_ID=$task \\
        SLURM_ARRAY_TASK_MAX=$tasks \\
        SLURM_CPUS_PER_TASK=1 bash "$here/script.sh" > "$here/task-$task.log" 2>&1 &
    tasks_run+=($!)
done
for number in "${tasks_run[@]}"; do
    wait "$number"
    echo $? >> "$here/statuses"
done
echo "Submitted batch job 100"
"""
SCONTROL = """\
#!/bin/bash
echo "$@" >> "$(dirname "$0")/scontrol.log"
"""


def install(folder: Path) -> Path:
    """Write the commands into a folder, which is to be the first of PATH."""
    folder.mkdir()
    for name, text in (("sbatch", SBATCH), ("scontrol", SCONTROL)):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return folder
