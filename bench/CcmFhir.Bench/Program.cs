using CcmFhir.Bench;

// One line of JSON figures a measurement; --short takes seconds where the whole takes minutes.
var shorter = args.Contains("--short");
switch (args.FirstOrDefault())
{
    case "journal":
        await JournalBench.RunAsync(shorter);
        return 0;
    default:
        await Console.Error.WriteLineAsync("usage: journal [--short]");
        return 2;
}
