using CcmFhir.Tools.PackDefinitions;
using CcmFhir.Validation.Definitions;

// Makes the packs of definitions that the program carries. Get the packages first, in some empty folder:
//   npm pack hl7.fhir.r4.examples@4.0.1 hl7.fhir.r4.expansions@4.0.1 hl7.terminology.r4@7.0.1 \
//     language-subtag-registry@0.4.2 iso-3166@4.4.0 @lhncbc/ucum-lhc@7.1.10
// and unpack each with `tar xzf` in a folder of its own. Then, from the root of the repository, with the folders named `package`
// of the unpacked packages in the order above:
//   dotnet run --project tools/PackDefinitions -- base EXAMPLES EXPANSIONS TERMINOLOGY LANGUAGES COUNTRIES UNITS \
//     src/CcmFhir.Validation/Definitions/r4.pack
// After a change in the folder profiles/, the pack of our own package is made anew (it needs no npm package):
//   dotnet run --project tools/PackDefinitions -- ccm profiles src/CcmFhir.Validation/Definitions/ccm.pack
// For those who need snapshots in files, the whole package with every snapshot in it:
//   dotnet run --project tools/PackDefinitions -- snapshots profiles OUTPUT-FOLDER
switch (args)
{
    case ["base", var examples, var expansions, var terminology, var languages, var countries, var units, var output]:
        await Write(BasePack.Make(examples, expansions, terminology, languages, countries, units), output);
        return 0;
    case ["ccm", var profiles, var output]:
        await Write(CcmPack.Make(profiles), output);
        return 0;
    case ["snapshots", var profiles, var output]:
        await Console.Out.WriteLineAsync($"{SnapshotFolder.Write(profiles, output)} snapshots in {output}.");
        return 0;
    default:
        await Console.Error.WriteLineAsync(
            """
            usage: base EXAMPLES EXPANSIONS TERMINOLOGY LANGUAGES COUNTRIES UNITS OUTPUT
                   ccm PROFILES OUTPUT
                   snapshots PROFILES OUTPUT-FOLDER
            """
        );
        return 2;
}

static async Task Write(IReadOnlyList<PackItem> items, string output)
{
    var pack = DefinitionPack.Write(items);
    await File.WriteAllBytesAsync(output, pack);
    await Console.Out.WriteLineAsync(
        $"{output}: {items.Count} definitions, {items.Sum(item => (long)item.Json.Length):N0} bytes of JSON in {pack.Length:N0} bytes."
    );
}
