"""What a stage is called, what it needs and what it makes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    """One entry of the list of stages.

    Parameters
    ----------
    name : str
        The one name: command, ledger and progress bar.
    module : str
        Module whose function ``run(run: Run) -> StageReport`` is the stage.
    makes : str
        Dataset that it publishes.
    summary : str
        One line for lists.
    manual : str
        Further paragraphs of the manual page.
    needs, uses : tuple of str
        Datasets that it cannot do without, and those that it uses where they are there or where
        a setting asks for them.
    inputs : str
        Module whose function ``check(asked: Datasets) -> None`` looks at what the stage is given
        beside ``needs``, before anything is done; empty if there is nothing.
    steps : tuple of str
        Further steps of the ledger whose files are the dataset, beside the step of its own name.
    interim : tuple of str
        Steps whose files only help to make the dataset; they may be deleted afterwards.
    tables : tuple of str
        Views of `pairspec query` that exist once it has run.
    page : str
        Page of the documentation, below ``docs/``.
    folder : str
        Setting that names the folder it writes to.
    """

    name: str
    module: str
    makes: str
    summary: str
    manual: str = ""
    needs: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    inputs: str = ""
    steps: tuple[str, ...] = ()
    interim: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    page: str = ""
    folder: str = "root"
