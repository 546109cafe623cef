using CcmFhir.Tools.PackDefinitions;
using CcmFhir.Validation.Definitions;

// Makes the packs of definitions that the program carries. Get the packages first, in some empty folder:
//   npm pack hl7.fhir.r4.examples@4.0.1 hl7.fhir.r4.expansions@4.0.1 hl7.terminology.r4@7.0.1
// and unpack each with `tar xzf`. Then, from the root of the repository:
//   dotnet run --project tools/PackDefinitions -- base EXAMPLES EXPANSIONS TERMINOLOGY src/CcmFhir.Validation/Definitions/r4.pack
// (the first three: the folders named `package` of the unpacked packages).
switch (args)
{
    case ["base", var examples, var expansions, var terminology, var output]:
    {
        var items = BasePack.Make(examples, expansions, terminology);
        var pack = DefinitionPack.Write(items);
        await File.WriteAllBytesAsync(output, pack);
        await Console.Out.WriteLineAsync(
            $"{output}: {items.Count} definitions, {items.Sum(item => (long)item.Json.Length):N0} bytes of JSON in {pack.Length:N0} bytes."
        );
        return 0;
    }
    default:
        await Console.Error.WriteLineAsync("usage: base EXAMPLES EXPANSIONS TERMINOLOGY OUTPUT");
        return 2;
}
